"""Which images of a report come first, and how many there are of each kind."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.record import State
from patchgate.policy.verdict import Reason, say_duration

_KINDS: Final[dict[Reason | None, str]] = {
    Reason.SLA_BREACHED: "breached",
    Reason.STALE: "stale",
    Reason.WITHIN_SLA: "within_sla",
    Reason.UNPATCHABLE: "unpatchable",
    Reason.UNSCANNED: "unscanned",
    None: "approved",
}
"""Reason → its name in the summary, the most urgent first: what is refused, what will be, what may never be patched."""
_ORDER: Final = {reason: place for place, reason in enumerate(_KINDS)}


def find_reason(image: TrackedImage) -> Reason | None:
    """Find why an image needs attention; None if it is approved."""
    if image.is_breached:
        return Reason.SLA_BREACHED
    if image.is_stale:
        return Reason.STALE
    if image.time_left is not None:
        return Reason.WITHIN_SLA
    if image.record is None:
        return Reason.UNSCANNED
    is_hopeless = image.record.state is State.UNPATCHABLE and image.approval is None
    return Reason.UNPATCHABLE if is_hopeless else None


def sort_by_urgency(images: Iterable[TrackedImage]) -> list[TrackedImage]:
    """Sort the images: the longest breached first, then what is refused next; equal ones stay in their order."""

    def rank(image: TrackedImage) -> tuple[int, timedelta]:
        return _ORDER[find_reason(image)], image.time_left if image.time_left is not None else timedelta()

    return sorted(images, key=rank)


def summarize(images: Sequence[TrackedImage], bad_lines: Sequence[BadLine]) -> dict[str, int | None]:
    """Count the images by kind, for machines; with the seconds until the next one is refused, if a clock runs."""
    counts = Counter(map(find_reason, images))
    left = _find_next(images)
    return {
        "images": len(images),
        **{name: counts[reason] for reason, name in _KINDS.items()},
        "bad_lines": len(bad_lines),
        "next_breach_seconds": int(left.total_seconds()) if left is not None else None,
    }


def say_summary(images: Sequence[TrackedImage], bad_lines: Sequence[BadLine]) -> str:
    """Say the same in one line, without what there is none of."""
    counts = Counter(map(find_reason, images))
    shown = [f"{counts[reason]} {name.replace('_sla', ' SLA')}" for reason, name in _KINDS.items() if counts[reason]]
    left = _find_next(images)
    parts = [f"{len(images)} {'image' if len(images) == 1 else 'images'}{': ' if shown else ''}{', '.join(shown)}"]
    parts += [f"the next one is refused in {say_duration(left)}"] if left is not None else []
    parts += [f"{len(bad_lines)} bad {'line' if len(bad_lines) == 1 else 'lines'}"] if bad_lines else []
    return "; ".join(parts)


def _find_next(images: Iterable[TrackedImage]) -> timedelta | None:
    running = (image.time_left for image in images if image.time_left is not None and not image.is_breached)
    return min(running, default=None)
