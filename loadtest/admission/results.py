"""The table of what was measured, and the ratios with their bars."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loadtest.admission.creates import Creates
from loadtest.admission.plan import AGAIN, GATE, KYVERNO, NONE, STATIC, Block
from loadtest.figure import Bar, Figure, divide
from loadtest.results import write_table

_BARRED_CLIENTS: Final = (16, 50)
_LEAST_GAIN: Final = Bar(0.7)
_QUANTILES: Final[Mapping[str, Callable[[Creates], float]]] = {"p50": lambda one: one.p50, "p99": lambda one: one.p99}


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of one block, by side."""

    block: Block
    sides: Mapping[str, Sequence[Creates]]

    def take(self, side: str, quantile: str) -> list[float]:
        """Take the milliseconds of each round of a side."""
        return [_QUANTILES[quantile](one) for one in self.sides[side]]

    @property
    def name(self) -> str:
        """The block, for people."""
        return f"{self.block.clients} client{'s' if self.block.clients > 1 else ''}{self.kind}"

    @property
    def kind(self) -> str:
        """What is not a dry run, for people."""
        return "" if self.block.is_dry else ", written"


def compare_main(rounds: Rounds) -> Iterator[Figure]:
    """Compare the sides of the main comparison."""
    is_barred = rounds.block.clients in _BARRED_CLIENTS
    for quantile in _QUANTILES:
        again = _divide(rounds, quantile, AGAIN, STATIC, what=" (A/A: the noise)")
        noise = again.low, again.high
        bar = Bar(round(again.high, 3)) if is_barred and quantile == "p50" else None
        yield again
        yield _divide(rounds, quantile, GATE, STATIC, bar=bar, noise=noise)
        yield _divide(rounds, quantile, STATIC, NONE, noise=noise)
        yield _divide(rounds, quantile, GATE, NONE, noise=noise)
        bar = _LEAST_GAIN if is_barred and quantile == "p99" else None
        yield _divide(rounds, quantile, GATE, KYVERNO, bar=bar, noise=noise)


def compare_with(side: str, rounds: Rounds) -> Iterator[Figure]:
    """Compare the other sides with one, by both quantiles."""
    others = [name for name in rounds.sides if name != side]
    return (_divide(rounds, quantile, name, side) for quantile in _QUANTILES for name in others)


def write_rounds(measured: Iterable[Rounds]) -> str:
    """Write the medians of every side as a table, each beside its range."""
    head = ("clients", "side", "creates/s", "p50 ms", "range", "p99 ms", "range")
    return write_table(head, [line for rounds in measured for line in _list_lines(rounds)])


def _list_lines(rounds: Rounds) -> Iterator[tuple[str, ...]]:
    for side, creates in rounds.sides.items():
        rate = statistics.median(one.rate for one in creates)
        cells = [cell for quantile in _QUANTILES for cell in _write(rounds.take(side, quantile))]
        yield f"{rounds.block.clients}{rounds.kind}", side, f"{rate:,.0f}", *cells


def _write(milliseconds: list[float]) -> tuple[str, str]:
    return f"{statistics.median(milliseconds):.1f}", f"{min(milliseconds):.1f} - {max(milliseconds):.1f}"


def _divide(  # noqa: PLR0913 -- the columns of a line
    rounds: Rounds,
    quantile: str,
    above: str,
    below: str,
    *,
    what: str = "",
    bar: Bar | None = None,
    noise: tuple[float, float] | None = None,
) -> Figure:
    sides = rounds.take(above, quantile), rounds.take(below, quantile)
    medians = [statistics.median(each) for each in sides]
    detail = f"{medians[0]:.1f} ms / {medians[1]:.1f} ms, rounds: {len(sides[0])}"
    name = f"{rounds.name}, {quantile}: {above} ÷ {below}{what}"
    return divide(name, *sides, detail, bar=bar, noise=noise)
