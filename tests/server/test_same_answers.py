"""Streams of requests, cut anywhere: an answer in one piece is the same as the answer of the ASGI way.

Both are driven through a connection in memory, so that what comes in one turn of the event loop comes in one turn of
both.
"""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import uvicorn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from patchgate.server.app import MainApp
from patchgate.server.budget import Budget
from patchgate.server.life import Life
from patchgate.server.protocol import GateProtocol
from patchgate.server.review_protocol import ReviewProtocol
from tests.conftest import SHOP, make_doors, read_recorded

REVIEW = read_recorded("pod-create")
UID = json.loads(REVIEW)["request"]["uid"].encode()
STEADY_TURNS = 20
"""Turns of the event loop in which nothing is written: whatever can be answered is."""
LINE = b"POST /validate/enforce?timeout=30s HTTP/1.1\r\n"
HOST = b"Host: gate\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n"
PLAIN = LINE + HOST + JSON + LENGTH + b"\r\n"
WARN = PLAIN.replace(b"enforce", b"warn")
TEXT = PLAIN.replace(JSON, b"Content-Type: text/plain\r\n")
SOUND_HEADS = (
    PLAIN,
    WARN,
    PLAIN.replace(b"enforce?timeout=30s", b"audit"),
    PLAIN.replace(b": %d", b": 000%d"),
    PLAIN.replace(b": %d", b":%d \t"),
    PLAIN.replace(b"Content-Length", b"CONTENT-LENGTH"),
    PLAIN.replace(HOST, b""),
    PLAIN.replace(HOST, b"Connection: keep-alive\r\n"),
    PLAIN.replace(HOST, b"Connection: close\r\n"),
    PLAIN.replace(HOST, b"Expect: 100-continue\r\n"),
    PLAIN.replace(HOST, b"Authorization: Bearer x\r\n"),
    PLAIN.replace(HOST, b"Content-Encoding: gzip\r\n"),
    TEXT,
    PLAIN.replace(JSON, b""),
    PLAIN.replace(b"1.1", b"1.0"),
    PLAIN.replace(b"/validate", b"https://gate/validate"),
    PLAIN.replace(b"enforce", b"enf%%6frce"),
    PLAIN.replace(b"enforce", b"nothing"),
    PLAIN.replace(b"POST", b"PUT"),
    b"\r\n\r\n" + PLAIN,
)
ODD_HEADS = (
    PLAIN.replace(b": %d", b": +%d"),
    PLAIN.replace(LENGTH, LENGTH + b"Content-Length: 2\r\n"),
    PLAIN.replace(LENGTH, b"Content-Length: 2\r\n" + LENGTH),
    PLAIN.replace(LENGTH, LENGTH + b"Transfer-Encoding: chunked\r\n"),
    PLAIN.replace(LENGTH, b"Transfer-Encoding: chunked\r\n" + LENGTH),
    PLAIN.replace(LENGTH, b"Transfer-Encoding: identity\r\n" + LENGTH),
    PLAIN.replace(LENGTH, b"Transfer-Encoding : chunked\r\n" + LENGTH),
    PLAIN.replace(HOST, b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    PLAIN.replace(HOST, b"Host: gate\r\n folded\r\n"),
    PLAIN.replace(HOST, b"Host: g\x00te\r\n"),
    PLAIN.replace(HOST, b"Host: gate\n"),
    PLAIN.replace(HOST, b"Host: ga\rte\r\n"),
    PLAIN.replace(b"\r\n", b"\n"),
    PLAIN.replace(b"POST", b"CONNECT"),
)
USUAL_REVIEW = PLAIN % len(REVIEW) + REVIEW
BODIES = (REVIEW, REVIEW + b" ", b"{", b"", USUAL_REVIEW)
NO_JSON = TEXT % len(REVIEW) + REVIEW
BODY_LIKE_A_REQUEST = TEXT % len(USUAL_REVIEW) + USUAL_REVIEW
CHUNKS = b"%x\r\n%b\r\n0\r\n" % (len(REVIEW), REVIEW)
CHUNKED = LINE + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS
OTHERS = (
    CHUNKED + b"\r\n",
    CHUNKED + b"Content-Type: application/json\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: gate\r\nContent-Length: 5\r\n\r\nPOST ",
    LINE + HOST + JSON + b"Content-Length: 99999999\r\n\r\n",
    b"\r\n",
)
NO_REQUESTS = (
    b"\x00",
    b"POST",
    PLAIN % 9,
    CHUNKED + b"Content-Length: 5\r\n\r\n",
    b"0\r\n\r\n",
    b"HEAD /livez HTTP/1.1\r\n\r\n",
)


def write_request(head: bytes, body: bytes, number: int) -> bytes:
    return head % len(body) + body.replace(UID, b"%036d" % number)


SOUND = st.builds(write_request, st.sampled_from(SOUND_HEADS), st.sampled_from(BODIES), st.integers(0, 99))
ODD = st.builds(write_request, st.sampled_from(ODD_HEADS), st.sampled_from(BODIES), st.integers(0, 99))
USUAL = st.builds(write_request, st.just(PLAIN), st.just(REVIEW), st.integers(0, 99))
SOUND_STREAMS = st.lists(st.one_of(USUAL, SOUND, st.sampled_from(OTHERS)), min_size=1, max_size=8)
STREAMS = st.lists(st.one_of(USUAL, SOUND, st.sampled_from(OTHERS), ODD, st.sampled_from(NO_REQUESTS)), max_size=8)
CUTS = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from([0, 0, 0, -2, -1, 1, 99]), st.booleans(), st.booleans()), max_size=8
)
"""Where a stream is cut: behind which empty line of it, and by how many bytes further; whether its sender stops reading
there; whether the gate comes to rest."""
Cuts = Sequence[tuple[int, int, bool, bool]]
ProtocolMaker = Callable[[], GateProtocol]
Answer = tuple[bytes, list[bytes], bytes]
"""Status line, headers, body."""


class Wire(asyncio.Transport):
    """A connection in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_read = True
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            self.written += data

    def close(self) -> None:
        self._is_closing = True

    def abort(self) -> None:
        self._is_closing = True

    def is_closing(self) -> bool:
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


@dataclass(frozen=True)
class Makers:
    """Makes connections of one gate, by what they know."""

    application: MainApp

    def make_one_piece(self) -> ReviewProtocol:
        admission = self.application.admission
        made = ReviewProtocol(
            self._configure(), ServerState(), {}, admission=admission, life=Life(0), costly=admission.costly
        )
        made.enter(Budget(), "192.0.2.1", lambda: None)
        return made

    def make_asgi(self) -> GateProtocol:
        made = GateProtocol(self._configure(), ServerState(), {})
        made.enter(Budget(), "192.0.2.1", lambda: None)
        return made

    def _configure(self) -> uvicorn.Config:
        return uvicorn.Config(self.application, http=GateProtocol, lifespan="off", log_config=None, ws="none")


@pytest.fixture(scope="module")
def makers() -> Makers:
    return Makers(make_doors(*SHOP).main)


async def send(make: ProtocolMaker, stream: bytes, cuts: Cuts = ()) -> tuple[bytes, bool]:
    """Send a stream in pieces on a connection; give what was answered, and whether the connection was closed."""
    wire, protocol = Wire(), make()
    protocol.connection_made(wire)
    start = 0
    for end, stalls, rests in [*_find_cuts(stream, cuts), (len(stream), False, True)]:
        if start < end and not wire.is_closing():
            protocol.data_received(stream[start:end])
        start = max(start, end)
        _stall(protocol, stalls=stalls)
        if rests:
            await settle(wire)
        while not (wire.is_read or wire.is_closing()):
            _stall(protocol, stalls=False)
            await settle(wire)
    is_closed = wire.is_closing()
    protocol.connection_lost(None)
    return wire.written, is_closed


def _find_cuts(stream: bytes, cuts: Cuts) -> list[tuple[int, bool, bool]]:
    ends = [match.end() for match in re.finditer(rb"\r\n\r\n|(?=POST /|GET /)", stream)] or [0]
    return sorted((ends[number % len(ends)] + further, stalls, rests) for number, further, stalls, rests in cuts)


def _stall(protocol: GateProtocol, *, stalls: bool) -> None:
    if protocol.flow.write_paused != stalls:
        (protocol.pause_writing if stalls else protocol.resume_writing)()


async def settle(wire: Wire) -> None:
    """Have the event loop turn until nothing is written any more."""
    written, turns = -1, 0
    while turns < STEADY_TURNS:
        turns = turns + 1 if len(wire.written) == written else 0
        written = len(wire.written)
        await asyncio.sleep(0)


def read_answers(written: bytes) -> list[Answer]:
    answers: list[Answer] = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        status, *lines = head.lower().split(b"\r\n")
        length = int(next((line[16:] for line in lines if line.startswith(b"content-length: ")), b"0"))
        answers.append((status, sorted(lines), rest[:length]))
        written = rest[length:]
    return answers


@settings(max_examples=300)
@given(stream=SOUND_STREAMS, cuts=CUTS)
@example(stream=[USUAL_REVIEW] * 3, cuts=[(2, 0, True, False)])
@example(stream=[USUAL_REVIEW, BODY_LIKE_A_REQUEST], cuts=[(3, 0, False, True)])
@example(stream=[NO_JSON], cuts=[(1, 0, False, True)])
def test_an_answer_in_one_piece_is_that_of_the_asgi_way(makers: Makers, stream: list[bytes], cuts: Cuts) -> None:
    async def run() -> tuple[tuple[bytes, bool], tuple[bytes, bool]]:
        whole = b"".join(stream)
        return await send(makers.make_one_piece, whole, cuts), await send(makers.make_asgi, whole, cuts)

    (piece, is_piece_closed), (asgi, is_asgi_closed) = asyncio.run(run())
    assert read_answers(piece) == read_answers(asgi)
    assert is_piece_closed == is_asgi_closed


@given(stream=STREAMS, cuts=CUTS)
def test_nothing_that_comes_ends_in_an_internal_error(makers: Makers, stream: list[bytes], cuts: Cuts) -> None:
    written, _ = asyncio.run(send(makers.make_one_piece, b"".join(stream), cuts))
    assert written.startswith(b"HTTP/1.1 ") or not written
    assert b"500 internal" not in written.lower()
