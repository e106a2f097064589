"""An inventory as a table, as JSON by repository, and as the lines that images.txt lacks."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from patchgate.cli.output import print_line, print_table
from patchgate.cli.verdict_words import choose_style, say_verdict
from patchgate.policy.inventory import RunningImage
from patchgate.server.decision_json import describe_verdict

_WORKLOADS_SHOWN: Final = 3


def print_inventory(images: Sequence[RunningImage]) -> None:
    """Print every image by repository, how many there are, and what is not listed."""
    rows = [
        [image.image or "empty image", say_verdict(image.verdict), image.verdict.reason, _say_workloads(image)]
        for image in images
    ]
    print_table(["IMAGE", "VERDICT", "REASON", "USED BY"], rows, [choose_style(image.verdict) for image in images])
    print_line("")
    print_line(_say_counts(images))
    if any(image.line for image in images):
        print_line("")
        print_line(
            "To have those without a list line kept patched, add to images.txt of the ConfigMap copa-image-list:"
        )
        print_line("")
        print_lines(images)


def print_lines(images: Sequence[RunningImage]) -> None:
    """Print a line for images.txt of every image that is not listed, each once, with who uses it."""
    lines = {image.line: _say_workloads(image) for image in images if image.line}
    for line, workloads in lines.items():
        print_line(f"{line}  # {workloads}")


def describe_inventory(images: Sequence[RunningImage]) -> dict[str, object]:
    """Describe it for machines, grouped by repository."""
    groups = groupby(images, key=lambda image: image.repository)
    return {
        "repositories": [
            {"repository": repository, "images": [_describe_image(image) for image in group]}
            for repository, group in groups
        ],
        "not_listed": list(dict.fromkeys(image.line for image in images if image.line)),
    }


def _describe_image(image: RunningImage) -> dict[str, object]:
    return describe_verdict(image.verdict) | {
        "image": image.image,
        "listed": image.is_listed,
        "workloads": list(image.workloads),
    }


def _say_counts(images: Sequence[RunningImage]) -> str:
    words = Counter(say_verdict(image.verdict) for image in images)
    repositories = len({image.repository for image in images})
    workloads = len({workload for image in images for workload in image.workloads})
    counts = ", ".join(f"{words[word]} {word}" for word in ("denied", "warned", "allowed"))
    return f"{len(images)} images of {repositories} repositories in {workloads} workloads: {counts}"


def _say_workloads(image: RunningImage) -> str:
    shown = ", ".join(image.workloads[:_WORKLOADS_SHOWN])
    more = len(image.workloads) - _WORKLOADS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
