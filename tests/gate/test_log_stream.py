"""The log's stream: lines are gathered for a moment, and none is lost when the gate ends."""

import asyncio
import io
import json

import pytest

from patchgate.gate.log import make_log
from patchgate.gate.log_stream import LogStream


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def write(stream: LogStream, *lines: str) -> None:
    for line in lines:
        stream.write(line)
        stream.flush()


def test_a_line_is_written_at_once_before_there_is_a_loop(out: io.StringIO) -> None:
    write(LogStream(out), "a\n")
    assert out.getvalue() == "a\n"


def test_lines_are_gathered_on_a_loop_and_written_soon_in_their_order(out: io.StringIO) -> None:
    async def gather() -> str:
        stream = LogStream(out)
        stream.gather(asyncio.get_running_loop())
        write(stream, "a\n", "b\n")
        before = out.getvalue()
        for _ in range(100):
            if out.getvalue():
                break
            await asyncio.sleep(0.05)
        return before

    assert asyncio.run(gather()) == ""
    assert out.getvalue() == "a\nb\n"


def test_more_than_a_pipe_holds_is_not_gathered(out: io.StringIO) -> None:
    async def gather() -> str:
        stream = LogStream(out)
        stream.gather(asyncio.get_running_loop())
        write(stream, "a" * 40_000, "b" * 40_000)
        return out.getvalue()

    assert asyncio.run(gather()) == "a" * 40_000 + "b" * 40_000


def test_what_is_gathered_is_written_when_it_must_be(out: io.StringIO) -> None:
    async def gather() -> str:
        stream = LogStream(out)
        stream.gather(asyncio.get_running_loop())
        write(stream, "a\n")
        stream.write_out()
        stream.write_out()
        return out.getvalue()

    assert asyncio.run(gather()) == "a\n"


def test_a_person_is_known_by_the_stream_behind(out: io.StringIO) -> None:
    assert LogStream(out).isatty() is False


class Gone(io.StringIO):
    """A stream that nobody reads any more."""

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_stream_that_nobody_reads_costs_the_lines_and_nothing_else() -> None:
    stream = LogStream(Gone())
    write(stream, "a\n", "b\n")
    assert stream.lost_lines == 2


def test_a_line_that_is_no_text_is_written_all_the_same(out: io.StringIO) -> None:
    make_log(LogStream(out)).warning("data does not count", configmap="bad\udcff.yaml")
    assert json.loads(out.getvalue())["event"] == "data does not count"
