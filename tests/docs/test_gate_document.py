"""docs/gate.md names every limit of the gate as it is."""

import re
from pathlib import Path

from patchgate import limits
from patchgate.server.bounded_lists import ITEMS, LARGE_BYTES
from patchgate.server.budget import CONNECTIONS, HELD_BYTES
from patchgate.server.protocol import HEADERS, PIPELINED

TEXT = (Path(__file__).parents[2] / "docs/gate.md").read_text(encoding="utf-8")


def test_the_limits_are_the_ones_in_force() -> None:
    rows = dict(re.findall(r"^\| ([\w /,-]+?) \| (.+?) \|", TEXT, re.MULTILINE))
    assert rows["body of a review"].startswith(f"{limits.REVIEW_BYTES // 2**20} MiB,")
    assert f"\n| body of `/v1/` | {limits.QUESTION_BYTES // 2**20} MiB | 413 |\n" in TEXT
    assert rows["head"] == f"{limits.HEAD_BYTES // 1024} KiB, and {HEADERS} headers"
    assert rows["items of one list of an object"].startswith(f"{ITEMS:,}, in a body over {LARGE_BYTES // 1024} KiB")
    assert rows["requests sent before the first is answered"] == str(PIPELINED)
    assert rows["bytes of all bodies, unread answers and large buffers"] == f"{HELD_BYTES // 2**20} MiB"
    assert rows["time for a head, and for a body"].startswith(
        f"{limits.HEAD_SECONDS} s each; a body {limits.TIMEOUT_SHARE}"
    )
    assert limits.HEAD_SECONDS == limits.BODY_SECONDS
    assert rows["TLS handshake"] == f"{limits.HANDSHAKE_SECONDS} s"
    assert rows["open connections"] == f"{CONNECTIONS:,}, those before TLS included"
    assert rows["images of a request"] == f"{limits.IMAGES_OF_A_REQUEST:,} different ones"
    assert f"`/v1/images`, asked for at once | {limits.PAGES_WAITING} together |" in TEXT
    assert rows["answer to a review"] == f"{limits.ANSWER_BYTES // 1024} KiB"
    assert rows["idle connection"].startswith(f"{limits.KEEP_ALIVE_SECONDS} s,")
