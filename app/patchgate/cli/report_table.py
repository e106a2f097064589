"""The report as a table, and its columns in words, which other formats share."""

from collections.abc import Sequence
from typing import Final

from patchgate.cli.output import print_line, print_table
from patchgate.cli.report_urgency import say_summary
from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.verdict import say_duration

BAD_LINE: Final = "bad line"
"""State of a line that has no effect."""
COLUMNS: Final = ("IMAGE", "STATE", "TIME LEFT", "APPROVED", "MESSAGE")


def print_images(images: Sequence[TrackedImage], bad_lines: Sequence[BadLine]) -> None:
    """Print the table, the lines that have no effect first, and what it comes to."""
    rows = [*map(make_bad_row, bad_lines), *map(make_row, images)]
    styles = ["red"] * len(bad_lines) + ["red" if image.is_breached else "" for image in images]
    print_table(COLUMNS, rows, styles)
    print_line("")
    print_line(say_summary(images, bad_lines))


def make_bad_row(line: BadLine) -> list[str]:
    """Give the cells of a line that has no effect."""
    return [line.text, BAD_LINE, "-", "-", f"{line.place}: {line.reason}"]


def make_row(image: TrackedImage) -> list[str]:
    """Give the cells of an image."""
    record, approval = image.record, image.approval
    return [
        image.image,
        record.state if record else "unscanned",
        say_time_left(image),
        str(approval) if approval else "-",
        record.explanation if record else "the patcher has not looked at it yet",
    ]


def say_time_left(image: TrackedImage) -> str:
    """Say how long it may still run; `-` where no clock runs."""
    if image.is_stale:
        return "stale"
    if image.time_left is None:
        return "-"
    return f"breached {say_duration(-image.time_left)} ago" if image.is_breached else say_duration(image.time_left)
