"""Every tracked image with its record and time left, as JSON: for the ops listener and the command line."""

from collections.abc import Iterable
from datetime import datetime

from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.verdict import say_time


def describe_report(images: Iterable[TrackedImage], bad_lines: Iterable[BadLine], now: datetime) -> dict[str, object]:
    """Describe the images, and the lines of lists that have no effect."""
    return {
        "images": [describe_image(image, now) for image in images],
        "bad_lines": [{"listed_in": line.place, "text": line.text, "message": line.reason} for line in bad_lines],
    }


def describe_image(image: TrackedImage, now: datetime) -> dict[str, object]:
    """Describe an image. Times are RFC 3339, UTC; `digests.txt` verifies at the end of a day, so now at the latest."""
    record, approval = image.record, image.approval
    return {
        "image": image.image,
        "listed_in": f"{image.configmap}, line {image.line}",
        "state": record.state if record else "unscanned",
        "approved": str(approval) if approval else None,
        "verified": say_time(min(approval.verified, now)) if approval else None,
        "stale": image.is_stale,
        "breached": image.is_breached,
        "time_left_seconds": int(image.time_left.total_seconds()) if image.time_left is not None else None,
        "fixable_before": dict(record.fixable_before) if record else {},
        "fixable_after": dict(record.fixable_after) if record else {},
        "message": record.explanation if record else "",
    }
