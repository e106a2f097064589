"""People's own images in the node's registry, and what lists and records say of them; the digests are true."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from patchgate.configmaps.configmap import ConfigMap
from tests.node import addresses
from tests.node.images import make_busybox
from tests.node.workloads import container, pod_spec
from tests.patch.oci_layout import write_layout
from tests.patch.registry import Registry
from tests.world import hours_ago, image_list, patched, records

API: Final = f"{addresses.REGISTRY}/shop/api:1.0"
"""Patched two days ago: past the grace of roll-outs."""
API_PATCHED: Final = f"{API}-patched-20260509"
ROLLING: Final = f"{addresses.REGISTRY}/shop/rolling:1.0"
"""Patched two hours ago."""
ROLLING_PATCHED: Final = f"{ROLLING}-patched-20260509"
_PATCHED_HOURS_AGO: Final = {API: 48, ROLLING: 2}
_NUMBERS: Final[Iterator[int]] = count()


@dataclass(frozen=True, slots=True)
class Shop:
    """The images, pushed.

    Attributes:
        configmaps: list and records of API and ROLLING, each of which has a patched image.
    """

    configmaps: tuple[ConfigMap, ...]


def push_shop(registry: Registry, folder: Path) -> Shop:
    """Push busybox under each name, every one with a digest of its own. folder: a new one."""
    folder.mkdir()
    root = make_busybox(folder / "busybox")
    digests = {}
    for number, image in enumerate((API, API_PATCHED, ROLLING, ROLLING_PATCHED)):
        repository, tag = image.removeprefix(f"{addresses.REGISTRY}/").split(":")
        registry.push(write_layout(folder / f"{number}", root, labels={"image": image}), repository, tag)
        digests[image] = registry.read_digest(repository, tag)
    found = {
        image: patched(
            f"{image}-patched-20260509",
            patched=hours_ago(hours),
            source_digest=digests[image],
            source_platforms={},
            approved_digest=digests[f"{image}-patched-20260509"],
            approved_platforms={},
        )
        for image, hours in _PATCHED_HOURS_AGO.items()
    }
    return Shop((image_list(API, ROLLING), records(found)))


def shop_pod(image: str, name: str | None = None, **fields: object) -> dict[str, Any]:
    """A Pod of an image of the shop that runs on. fields: more of its spec."""
    metadata = {"name": name or f"web-{next(_NUMBERS)}"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _run(image, **fields)}


def shop_deployment(image: str, name: str) -> dict[str, Any]:
    """A Deployment of one such Pod, labelled with its name."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": _run(image)}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _run(image: str, **fields: object) -> dict[str, Any]:
    return pod_spec([container("main", "sleep infinity", image=image)], **fields)
