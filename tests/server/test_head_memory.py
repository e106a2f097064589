"""Heads that are remembered: those in the plain shape alone, and only the same bytes mean the same again."""

import pytest

from patchgate.limits import REMEMBERED_HEAD_BYTES
from patchgate.policy.decision import Mode
from patchgate.server.head_memory import HeadMemory, KnownHead, cut_head

URL = b"/validate/enforce?timeout=5s"
LINES = b"Host: gate\r\nContent-Type: application/json, */*\r\nContent-Length: 5\r\n\r\n"
HEAD = b"POST " + URL + b" HTTP/1.1\r\n" + LINES


def learn(head: bytes, body_bytes: int = 5) -> HeadMemory:
    heads = HeadMemory()
    heads.learn(head, Mode.ENFORCE, URL, body_bytes)
    return heads


@pytest.mark.parametrize("behind", [b"", b"{", b"12345", b"12345POST /", HEAD])
def test_a_head_is_known_again_whatever_follows_it(behind: bytes) -> None:
    assert learn(HEAD).find(HEAD + behind) == KnownHead(Mode.ENFORCE, URL, len(HEAD), 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:-1],
        b"\r\n" + HEAD,
        HEAD.replace(b": 5", b": 6"),
        HEAD.replace(b"gate", b"Gate"),
        HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
    ids=["nothing", "cut short", "behind an empty line", "another length", "another host", "a line more"],
)
def test_what_differs_by_a_byte_is_not_known(data: bytes) -> None:
    assert learn(HEAD).find(data) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n\r\n",
        HEAD[:-2],
        HEAD.replace(b"\r\n", b"\n"),
        HEAD.replace(b"Host: gate", b"Host: gate\r\n folded"),
        HEAD.replace(b"Host:", b"Host :"),
        HEAD.replace(b"gate", b"g\xe4te"),
        HEAD.replace(b"gate", b"g\x00te"),
        HEAD.replace(b"POST", b"GET"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD + HEAD,
    ],
    ids=[
        "nothing",
        "an empty line",
        "cut short",
        "line feeds alone",
        "a folded line",
        "a space before the colon",
        "Latin-1",
        "a zero byte",
        "GET",
        "HTTP/1.0",
        "two heads",
    ],
)
def test_a_head_that_another_reader_might_end_elsewhere_is_not_remembered(head: bytes) -> None:
    assert learn(head).find(head) is None


def test_a_head_without_a_body_is_not_remembered() -> None:
    assert learn(HEAD, body_bytes=0).find(HEAD) is None


def test_what_is_remembered_has_a_bound() -> None:
    heads = HeadMemory(size=2)
    wanted = [HEAD.replace(b": 5", b": %d" % number) for number in range(3)]
    for head in wanted:
        heads.learn(head, Mode.ENFORCE, URL, 5)
    assert [heads.find(head) is not None for head in wanted] == [False, False, True]


def test_a_long_head_is_not_cut_off() -> None:
    long = HEAD.replace(b"gate", b"g" * REMEMBERED_HEAD_BYTES)
    assert (cut_head(HEAD + b"{"), cut_head(long)) == (HEAD, b"")
