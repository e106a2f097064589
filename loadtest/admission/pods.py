"""Pods to create: the recorded one as somebody would send it, with places for its name and its image."""

import json
from pathlib import Path
from typing import Any, Final

from loadtest.worlds import name_image, pin_approved

IMAGES: Final = 100
"""Of the world: as many as a list in a ConfigMap of Kyverno's may well have. More make Kyverno slower, not the gate."""
UNPATCHED: Final = name_image(0)
"""Listed, and a patched image is there: every policy refuses it."""
NAME, IMAGE = "\x01", "\x02"
"""The places, which wrk/pods.lua fills in; no JSON has these characters."""
_RECORDED: Final = Path(__file__).parents[2] / "tests/fixtures/reviews/pod-create.json"
_OF_SERVER: Final = ("creationTimestamp", "generation", "managedFields", "namespace", "uid")
_ACCESS_VOLUME: Final = "kube-api-access-"


def make_pod(name: str, image: str) -> dict[str, Any]:
    """Make a Pod of one container, without what kube-apiserver itself puts into one."""
    pod: dict[str, Any] = json.loads(_RECORDED.read_bytes())["request"]["object"]
    del pod["status"]
    for field in _OF_SERVER:
        pod["metadata"].pop(field)
    pod["metadata"]["name"] = name
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    spec["volumes"] = [each for each in spec["volumes"] if not each["name"].startswith(_ACCESS_VOLUME)]
    mounts = container["volumeMounts"]
    container["volumeMounts"] = [each for each in mounts if not each["name"].startswith(_ACCESS_VOLUME)]
    container["image"] = image
    return pod


def write_pod(file: Path) -> None:
    """Write the Pod with its places."""
    text = json.dumps(make_pod("<name>", "<image>"), separators=(",", ":"))
    file.write_text(text.replace("<name>", NAME).replace("<image>", IMAGE), encoding="utf-8", newline="\n")


def write_images(file: Path) -> None:
    """Write the world's patched images by their approved digests, one a line: every policy admits them."""
    file.write_text("".join(f"{pin_approved(number)}\n" for number in range(0, IMAGES, 2)), encoding="utf-8")
