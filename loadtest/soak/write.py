"""Writes SOAK.md, and says what its picture shows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from loadtest.figure import Bar, Figure
from loadtest.plot_data import Line, Plot
from loadtest.results import write_figures, write_table
from loadtest.soak.watch import WINDOW_SECONDS, Sample, draw_curve, find_base_seconds, find_memory

_HEAD: Final = """# Soak

By `make load-soak` on {date}: {machine}.
{minutes:.1f} minutes of everything at once, {rate:.0f} requests a second, on a gate with 100,000 images in 170
ConfigMaps. Memory is resident memory, the median of {window} seconds; the end is compared with two minutes after the
beginning (half way, where the whole lasts less than four). A failure is an answer other than the one expected, a broken
connection that we did not break, or a change that is not in force within 15 seconds;
the records that change each second are not looked for one by one.
"""
_MEMORY_BAR: Final = Bar(1.05)
_NONE: Final = Bar(0)


@dataclass(slots=True)
class Soak:
    """What was seen.

    Attributes:
        seconds: how long it lasted.
        samples: the memory, a sample a second.
        rows: each kind that was asked, how many, how many failed.
        complaints: the first failures, in words.
        descriptors, threads: before the first request, and once the last connection is closed.
        metrics: sums of the gate's own counters at the end.
    """

    seconds: float
    samples: list[Sample] = field(default_factory=list)
    rows: list[tuple[str, int, int]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    descriptors: tuple[int, int] = (0, 0)
    threads: tuple[int, int] = (0, 0)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def list_figures(self) -> list[Figure]:
        """List the figures, with their bars."""
        base_seconds = find_base_seconds(self.seconds)
        base, end = find_memory(self.samples, base_seconds), find_memory(self.samples, self.samples[-1].seconds)
        peak = max(sample.mebibytes for sample in self.samples)
        errors = sum(value for name, value in self.metrics.items() if name.startswith("patchgate_errors"))
        asked, failed = sum(row[1] for row in self.rows), sum(row[2] for row in self.rows)
        return [
            _one(f"resident, after {base_seconds / 60:.1f} minutes", base, "MiB"),
            _one("resident, at the end", end, "MiB"),
            _one("resident, the highest sample", peak, "MiB"),
            _one("resident, at the end ÷ after two minutes", end / base, "", bar=_MEMORY_BAR),
            _one("failures", failed, "", f"of {asked:,} requests and changes", bar=_NONE),
            _one("errors that the gate counted", errors, "", bar=_NONE),
        ]

    def make_plot(self) -> Plot:
        """Say what the picture shows."""
        curve = draw_curve(self.samples)
        line = Line("resident", [each.seconds / 60 for each in curve], [each.mebibytes for each in curve])
        return Plot("Resident memory of the gate under everything at once", "minutes", "MiB", (line,))

    def write(self, date: str, machine: str) -> str:
        """Write the page."""
        rate = sum(row[1] for row in self.rows) / self.seconds
        head = _HEAD.format(date=date, machine=machine, minutes=self.seconds / 60, rate=rate, window=WINDOW_SECONDS)
        text = head + write_figures(self.list_figures()) + self._write_process()
        if self.complaints:
            text += "\n## Failures\n\n" + "".join(f"- `{_quote(complaint)}`\n" for complaint in self.complaints)
        text += "\n## Memory\n\n![Resident memory of the gate over time](plots/soak-memory.svg)\n"
        text += write_table(("minutes", "MiB"), _say_curve(draw_curve(self.samples)))
        text += "\n## What was asked\n" + write_table(("what", "number", "failed"), _say_rows(self.rows))
        return text + "\n## The gate's own counters\n" + write_table(("counter", "sum"), _say_sums(self.metrics))

    def _write_process(self) -> str:
        rows = [(name, str(before), str(after)) for name, (before, after) in (
            ("open descriptors", self.descriptors), ("threads", self.threads)
        )]  # fmt: skip
        return write_table(("process", "before the first request", "after the last connection"), rows)


def _one(what: str, value: float, unit: str, detail: str = "", bar: Bar | None = None) -> Figure:
    return Figure(what, value, value, value, detail, bar, unit=unit)


def _quote(complaint: str) -> str:
    return complaint.replace("`", "'")


def _say_curve(curve: Sequence[Sample]) -> list[tuple[str, ...]]:
    return [(f"{each.seconds / 60:g}", f"{each.mebibytes:.0f}") for each in curve]


def _say_rows(rows: Iterable[tuple[str, int, int]]) -> list[tuple[str, ...]]:
    return [(what, f"{number:,}", f"{failed:,}") for what, number, failed in rows]


def _say_sums(sums: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [(f"`{name}`", f"{value:,.0f}") for name, value in sorted(sums.items())]
