"""The report as a table, and its columns in words, which other formats share."""

from collections.abc import Sequence
from typing import Final

from patchgate.cli.output import print_table
from patchgate.policy.overview import TrackedImage
from patchgate.policy.record import Approval
from patchgate.policy.verdict import say_duration

COLUMNS: Final = ("IMAGE", "STATE", "TIME LEFT", "APPROVED", "MESSAGE")


def print_images(images: Sequence[TrackedImage]) -> None:
    """Print the table."""
    print_table(COLUMNS, map(make_row, images), ["red" if image.is_breached else "" for image in images])


def make_row(image: TrackedImage) -> list[str]:
    """Give the cells of an image."""
    record, approval = image.record, image.approval
    return [
        image.image,
        record.state if record else "unscanned",
        say_time_left(image),
        _say_approved(image.image, approval) if approval else "-",
        record.message if record else "the patcher has not looked at it yet",
    ]


def say_time_left(image: TrackedImage) -> str:
    """Say how long it may still run; `-` where no clock runs."""
    if image.is_stale:
        return "stale"
    if image.time_left is None:
        return "-"
    return f"breached {say_duration(-image.time_left)} ago" if image.is_breached else say_duration(image.time_left)


def _say_approved(image: str, approval: Approval) -> str:
    """Name the approved tag, with its repository where that is another one."""
    return approval.tag if image.startswith(f"{approval.repository}:") else approval.tagged
