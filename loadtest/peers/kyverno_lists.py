"""What Kyverno's policies (peers/kyverno/) look images up in: the world's list, and what is approved."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from loadtest.worlds import name_image

NAMESPACE: Final = "copa-system"
_CACHED: Final = {"cache.kyverno.io/enabled": "true"}
"""Without this label Kyverno reads a ConfigMap live at each review, under its own client's limit."""


def make_lists(images: int, name_approved: Callable[[int], str]) -> list[dict[str, Any]]:
    """Make the ConfigMaps, an image a line, and a line's end before the first: the ClusterPolicy searches whole lines.

    name_approved: names what is approved in the stead of an image, as the reviews do.
    """
    numbers = range(images)
    return [
        _make("copa-image-list", map(name_image, numbers)),
        _make("copa-approved-images", map(name_approved, numbers[::2])),
    ]


def _make(name: str, lines: Iterable[str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _CACHED}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"images.txt": _join(lines)}}


def _join(lines: Iterable[str]) -> str:
    return "".join(f"\n{line}" for line in lines) + "\n"
