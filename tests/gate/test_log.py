"""The log: one JSON line a denial, readable lines on a terminal, and never what somebody else must not read."""

import io
import json
import os
import pty
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from patchgate.gate.log import make_log
from tests.conftest import API, START_SECONDS, Gate, GateRunner, change, read_recorded

HIDDEN = "recognisable-7f3a"
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def quiet(shop: Path, self_signed: GateRunner) -> Iterator[Gate]:
    """A gate that has said nothing yet of any review."""
    with self_signed(shop) as running:
        yield running


def end(gate: Gate) -> str:
    """End the gate; gives all that it logged."""
    assert gate.stop() == 0
    gate.wait_until(lambda: gate.events("ended") != [])
    return "".join(gate.said)


def make_secret_pod(**container: object) -> dict[str, Any]:
    """A Pod with something secret wherever a Pod may hold it, but for its names."""
    env = [{"name": "PASSWORD", "value": HIDDEN}, {"name": HIDDEN, "value": "x"}]
    held = {"name": "c", "image": API, "env": env, "command": ["sh", "-c", HIDDEN], "args": [HIDDEN], **container}
    metadata = {
        "name": "web",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": HIDDEN, "token": HIDDEN},
        "labels": {"l": HIDDEN},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [held], "x": HIDDEN}}


def test_a_denial_is_one_line_with_its_uid_reason_and_images(quiet: Gate) -> None:
    quiet.review(change("pod-create", uid="u-1"))
    quiet.review(change("pod-create", uid="u-2"), "warn")
    quiet.review(change("pod-create-approved", uid="u-3"))
    quiet.review(change("job-create", uid="u-4"))
    end(quiet)
    denied, would = quiet.events("denied"), quiet.events("would deny")
    assert [line.pop("timestamp")[-1] for line in (*denied, *would)] == ["Z", "Z"]
    shared = {
        "level": "warning",
        "operation": "CREATE",
        "namespace": "shop",
        "object": "Pod/web",
        "user": "alice",
        "reason": "PatchAvailable",
        "images": [f"{API} PatchAvailable"],
        "dry_run": False,
    }
    assert denied == [shared | {"event": "denied", "mode": "enforce", "uid": "u-1"}]
    assert would == [shared | {"event": "would deny", "mode": "warn", "uid": "u-2"}]
    assert [line for line in quiet.said if "u-3" in line or "u-4" in line] == []


def test_a_denial_of_many_images_is_one_bounded_line(quiet: Gate) -> None:
    pod = make_secret_pod()
    pod["spec"]["containers"] = [{"name": "c", "image": f"{API}-{number}-{'x' * 90}"} for number in range(500)]
    quiet.review(change("pod-create", uid="u-1", object=pod))
    end(quiet)
    line = next(line for line in quiet.said if "u-1" in line)
    assert len(json.loads(line)["images"]) == 10
    assert len(line) < 4096


def test_no_image_forges_or_spoils_a_line(quiet: Gate) -> None:
    for image in ("a\nb", 'a", "uid": "forged', "a\x1b[2Jb", "\u2028"):
        quiet.review(change("pod-create", uid="u-1", object=make_secret_pod(image=image)))
    end(quiet)
    assert [line["uid"] for line in quiet.events("denied")] == ["u-1"] * 4
    assert [line for line in quiet.said if not line.rstrip("\n").isprintable()] == []


def test_no_header_body_token_or_environment_of_a_pod_is_ever_logged(quiet: Gate) -> None:
    headers = AS_JSON | {"Authorization": f"Bearer {HIDDEN}", "Cookie": HIDDEN, "X-Remote-User": HIDDEN}
    user = {"username": "alice", "uid": HIDDEN, "groups": [HIDDEN], "extra": {"token": [HIDDEN]}}
    bodies: list[object] = [
        change("pod-create", object=make_secret_pod(), userInfo=user, options={"x": HIDDEN}),
        change("pod-create", object=make_secret_pod(), oldObject=make_secret_pod(image="busybox"), operation="UPDATE"),
        change("pod-create", object=make_secret_pod(image={HIDDEN: HIDDEN})),
        change("pod-create", object=make_secret_pod(imagePullPolicy=[HIDDEN])),
        change("pod-create", object={"apiVersion": "v1", "kind": "Pod", "spec": HIDDEN}),
        change("pod-create", uid="", object=make_secret_pod()),
        {"apiVersion": HIDDEN, "kind": HIDDEN, "request": HIDDEN},
        HIDDEN.encode(),
        b'{"request": {"' + HIDDEN.encode(),
        b"",
    ]
    for body in bodies:
        for mode in ("enforce", "warn", "audit", HIDDEN):
            quiet.ask("POST", f"/validate/{mode}?timeout=30s&token={HIDDEN}", body, headers)
        quiet.ask("POST", f"/v1/decisions?token={HIDDEN}", body, headers)
    quiet.ask("POST", "/v1/decisions", {"object": make_secret_pod(), "userInfo": user}, headers)
    quiet.ask("POST", "/v1/decisions", {"images": [API], "token": HIDDEN}, headers)
    quiet.ask("GET", f"/{HIDDEN}", None, headers)
    with quiet.open_tls() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + HIDDEN.encode() + b"\x00\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    shown = [quiet.ask_ops("/metrics").text, quiet.ask("GET", "/readyz?verbose").text, end(quiet)]
    assert [text for text in shown if HIDDEN in text] == []
    assert len(quiet.events("denied")) == 5


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_defect_shows_a_terminal_its_lines_and_no_variable_of_them() -> None:
    def fail(headers: dict[str, str]) -> None:
        raise RuntimeError(f"a defect beside {len(headers)} header")

    terminal = Terminal()
    try:
        fail({"Authorization": HIDDEN})
    except RuntimeError as error:
        make_log(terminal).error("a decision failed", exc_info=error)
    assert "RuntimeError: a defect beside 1 header" in terminal.getvalue()
    assert HIDDEN not in terminal.getvalue()


@contextmanager
def run_on_a_terminal(*arguments: str) -> Iterator[Iterator[str]]:
    """Run a gate whose standard error is a terminal; gives its lines without their colours."""
    master, slave = pty.openpty()
    listen = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--drain-seconds", "0"]
    process = subprocess.Popen([sys.executable, "-m", "patchgate", "serve", *listen, *arguments], stderr=slave)
    os.close(slave)
    try:
        yield read_lines(master)
    finally:
        process.terminate()
        ended = process.wait(START_SECONDS)
        os.close(master)
    assert ended == 0


def read_lines(terminal: int) -> Iterator[str]:
    text = ""
    while True:
        text += os.read(terminal, 4096).decode()
        *whole, text = text.split("\r\n")
        yield from (re.sub(r"\x1b\[[0-9;]*m", "", line) for line in whole)


def test_a_terminal_gets_lines_for_people(shop: Path, tmp_path: Path) -> None:
    with run_on_a_terminal("--source", str(shop), "--self-signed", str(tmp_path)) as lines:
        announced = next(line for line in lines if "listening" in line)
        address = re.search(r"listening .* url=https://127\.0\.0\.1:(\d+)", announced)
        assert address
        next(line for line in lines if "data does not count" in line)  # said once reviews are decided
        trust = ssl.create_default_context(cafile=tmp_path / "ca.crt")
        with closing(HTTPSConnection("127.0.0.1", int(address[1]), context=trust, timeout=START_SECONDS)) as connection:
            connection.request("POST", "/validate/enforce", read_recorded("pod-create"), AS_JSON)
            assert connection.getresponse().read()
        denied = next(lines)
    assert "[warning  ] denied " in denied
    assert "object=Pod/web" in denied
    assert "reason=PatchAvailable" in denied
    assert not denied.startswith("{")
