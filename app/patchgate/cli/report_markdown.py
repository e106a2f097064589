"""The report as Markdown (GitHub's, with tables): for an issue, a wiki, or the summary of a pipeline."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

from patchgate.cli.report_table import COLUMNS, make_bad_row, make_row
from patchgate.cli.report_urgency import say_summary
from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.verdict import say_time, show


def print_markdown(images: Sequence[TrackedImage], bad_lines: Sequence[BadLine], now: datetime) -> None:
    """Print a headline and a table."""
    late = sum(image.is_breached for image in images)
    headline = f"{late} of {len(images)} images breach the patch SLA" if late else "No image breaches the patch SLA"
    wrong = f"; {len(bad_lines)} list lines have no effect" if bad_lines else ""
    lines = [f"**{headline}{wrong}** ({len(images)} shown, {say_time(now)})"]
    if images or bad_lines:
        lines += [
            "",
            say_summary(images, bad_lines),
            "",
            _join([column.capitalize() for column in COLUMNS]),
            _join(["---"] * len(COLUMNS)),
        ]
        lines += [_join(map(_quote, row)) for row in (*map(make_bad_row, bad_lines), *map(make_row, images))]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _join(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _quote(cell: str) -> str:
    """Quote a stranger's text as code, where no markup, name or link in it counts.

    Neither a backtick nor a bar can be escaped there in a way that every renderer reads alike.
    """
    text = show(cell, SHOWN_LINE_CHARACTERS).replace("`", "'").replace("|", "¦")
    return cell if cell == "-" else f"`{text.strip() or '-'}`"
