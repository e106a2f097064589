"""The headline: all within the SLA, or what is not; and what comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from patchgate.policy.verdict import say_duration
from patchgate.server.page.entry import Standing
from patchgate.server.page.index import Index


@dataclass(frozen=True, slots=True)
class Headline:
    """What is said first.

    Attributes:
        text: in a sentence.
        detail: what else there is to know, in sentences.
        standing: the worst that occurs.
    """

    text: str
    detail: str
    standing: Standing


def make_headline(index: Index, now: datetime) -> Headline:
    """Make the headline of a snapshot. now: aware UTC."""
    counts = index.count(now)
    worst = next((standing for standing in Standing if counts[standing]), Standing.APPROVED)
    return Headline(
        _say_worst(counts, len(index.entries)), " ".join(_list_details(index, counts, now)), _choose_tone(worst)
    )


def say_not_ready() -> Headline:
    """Say that nothing is decided yet."""
    text = "Not ready: the main image list has not been read yet."
    return Headline(
        text, "Reviews are answered 503 until it is; nothing is let in for want of data.", Standing.BREACHED
    )


def _choose_tone(worst: Standing) -> Standing:
    return Standing.APPROVED if worst in (Standing.UNPATCHABLE, Standing.UNSCANNED) else worst


def _say_worst(counts: dict[Standing, int], images: int) -> str:
    late, stale = counts[Standing.BREACHED], counts[Standing.STALE]
    if not images:
        return "No image is listed."
    if not late and not stale:
        return "The one image is within the SLA." if images == 1 else f"All {images:,} images are within the SLA."
    parts = []
    if late:
        parts.append(f"{late:,} of {_plural(images, 'image')} {_are(late)} past the patch SLA")
    if stale:
        parts.append(f"{_plural(stale, 'approval')} {_are(stale)} stale")
    return ", and ".join(parts) + "."


def _list_details(index: Index, counts: dict[Standing, int], now: datetime) -> Iterator[str]:
    if approved := counts[Standing.APPROVED]:
        yield f"{approved:,} {_are(approved)} approved."
    if waiting := index.find(Standing.WAITING, now):
        left = say_duration(next(iter(waiting)).due - now)
        if len(waiting) == 1:
            yield f"1 waits for a patch and is refused in {left}."
        else:
            yield f"{len(waiting):,} wait for a patch, the next is refused in {left}."
    if unscanned := counts[Standing.UNSCANNED]:
        yield f"{unscanned:,} {_are(unscanned)} not scanned yet."
    if unpatchable := counts[Standing.UNPATCHABLE]:
        yield f"{unpatchable:,} cannot be patched."


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
