"""What Kyverno's policy (peers/kyverno/cluster-policy.yaml) looks images up in: a list, and what is approved."""

from collections.abc import Iterable
from typing import Any, Final

from loadtest.worlds import name_image, pin_approved

_CACHED: Final = {"cache.kyverno.io/enabled": "true"}
"""Without this label Kyverno reads a ConfigMap live at each review, under its own client's limit."""


def make_lists(images: int) -> list[dict[str, Any]]:
    """Make the ConfigMaps: an image a line, a line's end before the first too, as the policy searches whole lines."""
    numbers = range(images)
    return [
        _make("copa-image-list", map(name_image, numbers)),
        _make("copa-approved-images", map(pin_approved, numbers[::2])),
    ]


def _make(name: str, lines: Iterable[str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": _CACHED}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"images.txt": _join(lines)}}


def _join(lines: Iterable[str]) -> str:
    return "".join(f"\n{line}" for line in lines) + "\n"
