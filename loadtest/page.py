"""`make load-page`: what the status page costs its readers, and reviews while it is read; writes PAGE.md.

The first row's time is that from a new connection's request until the table's first row has come. Between two requests
is a pause, as a person makes one. While the page is reloaded all the time there is none: as soon as one has come, the
next is asked for, each of them another one.
"""

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote

from loadtest.change import CONNECTIONS, DELAY
from loadtest.figure import Bar, Figure, divide, summarize
from loadtest.ground import Ground
from loadtest.load import Load, get_wrk, run_wrk
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from loadtest.reviews import SIZES
from loadtest.servers import Server, choose_port
from loadtest.verb import measure_in_folder
from loadtest.world_files import IMAGES, write_world
from loadtest.worlds import name_image

_RESULTS: Final = Path(__file__).parent / "PAGE.md"
_HEAD: Final = """# The status page

By `make load-page` on {date}: {machine}.
How it is measured is written in `loadtest/page.py`. A ratio within the range of its A/A row is no difference.
"""
_FEW: Final = 10
_MANY: Final = 10_000
_ROUNDS: Final = 40
_PAUSE_SECONDS: Final = 0.5
_ROW: Final = b'<tr role="row" class='
_FIRST_ROW_BAR: Final = Bar(3)
_P99_ROUNDS: Final = 7
_P99_SECONDS: Final = 8
_P99_BAR: Final = Bar(1.3)
_ADDRESSES: Final = (
    "/",
    "/?sort=-verified",
    f"/image?name={quote(name_image(1))}",
    "/?search=team-7&page=3",
    "/?standing=approved&page=900",
    f"/decision?image={quote(name_image(2))}",
)


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    return measure_in_folder("load-page", _measure)


def _measure(folder: Path) -> list[Figure]:
    get_wrk()
    ground = Ground(folder)
    ground.prepare()
    figures = [*measure_first_row(ground), *measure_p99(ground)]
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return figures


def measure_first_row(ground: Ground) -> Iterator[Figure]:
    """Measure the first row with many images and with few, in turns."""
    worlds = {images: ground.directory / f"world-{images}" for images in (_FEW, _MANY)}
    ports = {images: choose_port() for images in worlds}
    milliseconds: dict[int, list[float]] = {images: [] for images in worlds}
    first: dict[int, float] = {}
    with contextlib.ExitStack() as stack:
        for images, world in worlds.items():
            write_world(world, images)
            stack.enter_context(ground.run_gate(world, ports[images]))
            first[images] = _time_first_row(ports[images])
        for _ in range(_ROUNDS):
            for images, port in ports.items():
                milliseconds[images].append(_time_first_row(port))
    for images, values in milliseconds.items():
        yield summarize(f"first row, {images:,} images", values, "ms", f"{_ROUNDS} requests")
        yield summarize(f"the same, once after a change: {images:,} images are put in order", [first[images]], "ms", "")
    detail = f"{_ROUNDS} requests of each, in turns"
    what = f"first row, {_MANY:,} images ÷ {_FEW}"
    yield divide(what, milliseconds[_MANY], milliseconds[_FEW], detail, bar=_FIRST_ROW_BAR)


def measure_p99(ground: Ground) -> Iterator[Figure]:
    """Measure reviews at rest, while the page is reloaded all the time, and at rest again."""
    turns = ("rest", "reloaded", "rest again")
    p99: dict[str, list[float]] = {turn: [] for turn in turns}
    load, ops_port, pages = ground.load(SIZES[0], CONNECTIONS, DELAY), choose_port(), 0
    with ground.run_gate(ops_port=ops_port) as gate:
        before = gate.read_memory("VmRSS")
        _time_first_row(ops_port)
        after = gate.read_memory("VmRSS")
        for number in range(_P99_ROUNDS):
            for turn in turns:
                value, shown = _run(gate, load, ops_port if turn == "reloaded" else None)
                p99[turn].append(value)
                pages += shown
                print(f"  page, round {number + 1}: {turn} p99 {value:.2f} ms, {shown} pages", flush=True)
    detail = f"{_P99_ROUNDS} rounds of {_P99_SECONDS} s, {pages / _P99_ROUNDS / _P99_SECONDS:.0f} pages a second"
    again = divide("p99, at rest again ÷ at rest (A/A: the noise)", p99["rest again"], p99["rest"], detail)
    noise = again.low, again.high
    what = "p99, the page reloaded all the time ÷ at rest"
    yield from (summarize(f"p99, {turn}", values, "ms", f"{IMAGES:,} images") for turn, values in p99.items())
    yield again
    yield divide(what, p99["reloaded"], p99["rest"], detail, bar=_P99_BAR, noise=noise)
    yield summarize(f"resident, before the first page of {IMAGES:,} images", [before], "MiB", "")
    yield summarize("resident, after it", [after], "MiB", "")


def _run(gate: Server, load: Load, ops_port: int | None) -> tuple[float, int]:
    """Run wrk, and reload the page beside it where a port is given; give the p99, and how many pages came."""
    stop = threading.Event()
    shown: list[int] = []
    reader = threading.Thread(target=_reload, args=(ops_port, stop, shown))
    if ops_port:
        reader.start()
    try:
        return run_wrk(gate, load, _P99_SECONDS).p99, len(shown)
    finally:
        stop.set()
        if ops_port:
            reader.join()


def _reload(port: int, stop: threading.Event, shown: list[int]) -> None:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for address in itertools.cycle(_ADDRESSES):
            if stop.is_set():
                return
            connection.request("GET", address)
            answer = connection.getresponse()
            shown.append(len(answer.read()))
            if answer.status != 200:  # noqa: PLR2004 -- RFC 9110
                raise RuntimeError(f"{address}: {answer.status}")


def _time_first_row(port: int) -> float:
    """Give the milliseconds until the first row has come."""
    time.sleep(_PAUSE_SECONDS)
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        start, text = time.perf_counter(), b""
        connection.request("GET", "/")
        answer = connection.getresponse()
        while text.count(_ROW) < 1:
            piece = answer.read1()
            if not piece:
                raise RuntimeError(f"no row has come: {text[-500:]!r}")
            text += piece
        return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    sys.exit(main())
