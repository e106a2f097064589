"""docs/gate.md names every limit of the gate as it is."""

import re
from pathlib import Path

from patchgate import limits

TEXT = (Path(__file__).parents[2] / "docs/gate.md").read_text(encoding="utf-8")


def test_the_limits_are_the_ones_in_force() -> None:
    rows = dict(re.findall(r"^\| ([\w /,-]+?) \| (.+?) \|", TEXT, re.MULTILINE))
    assert rows["body"] == f"{limits.BODY_BYTES // 2**20} MiB"
    assert rows["time for a head, and for a body"].startswith(
        f"{limits.HEAD_SECONDS} s each; a body {limits.TIMEOUT_SHARE}"
    )
    assert limits.HEAD_SECONDS == limits.BODY_SECONDS
    assert rows["TLS handshake"] == f"{limits.HANDSHAKE_SECONDS} s"
    assert rows["open connections"] == f"{limits.CONNECTIONS:,}"
    assert rows["images of a request"] == f"{limits.IMAGES_OF_A_REQUEST:,} different ones"
    assert f"`/v1/images`, asked for at once | {limits.PAGES_WAITING} together |" in TEXT
    assert rows["answer to a review"] == f"{limits.ANSWER_BYTES // 1024} KiB"
    assert rows["idle connection"].startswith(f"{limits.KEEP_ALIVE_SECONDS} s,")
