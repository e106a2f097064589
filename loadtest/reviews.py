"""AdmissionReviews to send: the one recorded from kube-apiserver, brought to a size as real Pods come to theirs.

A smaller Pod has no probes; a larger one has more containers, more environment, and the annotation that `kubectl apply`
leaves; each with its share of managedFields. What differs between requests is left open for wrk/reviews.lua to fill in:
the uid, and every image that is new to any cache.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from loadtest.worlds import name_approved, name_image

BODIES: Final = 2_000
HOT: Final = range(0, 40, 2)
"""The numbers of the 20 hot images: half are asked for as listed, half by their approved names."""
_RECORDED: Final = Path(__file__).parents[1] / "tests/fixtures/reviews/pod-create.json"
_CONTAINERS: Final = ("api", "proxy", "metrics", "worker")
UID, NEW = "\x01", "\x02"  # where reviews.lua fills in; no JSON has these characters
_ROOM_FOR_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Size:
    """A class of sizes."""

    kilobytes: int
    containers: int

    @property
    def name(self) -> str:
        """The size, for people and files."""
        return f"{self.kilobytes} KB"


SIZES: Final = (Size(5, 1), Size(15, 2), Size(40, 4))


def write_reviews(file: Path, size: Size) -> None:
    """Write the bodies of a size, one a line: whether its hot images are all admitted (1 or 0), a tab, the body."""
    file.write_text("\n".join(_list_lines(size)), encoding="utf-8", newline="\n")


def read_denied(file: Path) -> bytes:
    """Read a body that is denied for its hot image, ready to be sent, out of those of a size."""
    lines = file.read_text(encoding="utf-8").split("\n")
    found = next(line for line in lines if line.startswith("0\t") and NEW not in line)
    return found[2:].replace(UID, "22910c99-a1e7-494a-8bc6-e676422328c3").encode()


def write_new_images(file: Path, images: int) -> None:
    """Write the world's patched images that are not hot, under both names, shuffled: admitted (1 or 0), a tab, name."""
    numbers = range(HOT.stop, images, 2)
    lines = [f"0\t{name_image(number)}" for number in numbers] + [f"1\t{name_approved(number)}" for number in numbers]
    random.Random(1).shuffle(lines)  # noqa: S311 -- an order, no secret
    file.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def _list_lines(size: Size) -> Iterator[str]:
    template = make_template(size)
    listed, approved = HOT[::2], HOT[1::2]
    hot = [("0", name_image(number)) for number in listed] + [("1", name_approved(number)) for number in approved]
    random.Random(2).shuffle(hot)  # noqa: S311 -- an order, no secret
    turn, is_new = count(), count()
    for number in range(BODIES):
        body, admitted = template.replace("<number>", f"{number:05}"), "1"
        for _ in range(size.containers):
            if next(is_new) % 2:
                image = NEW
            else:
                is_admitted, image = hot[next(turn) % len(hot)]
                admitted = min(admitted, is_admitted)
            body = body.replace("<image>", image, 1)
        yield f"{admitted}\t{body}"


def make_template(size: Size) -> str:
    """Make a body with places for images (`<image>`), its number (`<number>`) and the uid (UID)."""
    review = json.loads(_RECORDED.read_bytes())
    request = review["request"]
    pod = request["object"]
    request["uid"], request["name"] = "<uid>", "web-<number>"
    pod["metadata"]["name"] = "web-<number>"
    managed = pod["metadata"]["managedFields"][0]["fieldsV1"]
    _multiply_container(pod["spec"], managed["f:spec"]["f:containers"], _CONTAINERS[: size.containers])
    if size.containers > 1:
        _annotate(pod, managed, "kubectl.kubernetes.io/last-applied-configuration", _write_as_applied(pod))
    target = size.kilobytes * 1024
    _thin(pod["spec"], managed["f:spec"]["f:containers"], lambda: _measure(review) - target + _ROOM_FOR_NOTE)
    _fill(pod["spec"], managed["f:spec"]["f:containers"], lambda: target - _measure(review) - _ROOM_FOR_NOTE)
    _annotate(pod, managed, "example.com/note", "")
    pod["metadata"]["annotations"]["example.com/note"] = ("rolled out by the pipeline " * 20)[
        : target - _measure(review)
    ]
    return _write(review).replace("<uid>", UID)


def _multiply_container(spec: dict[str, Any], managed: dict[str, Any], names: Sequence[str]) -> None:
    """Give the Pod as many containers, each like its first."""
    first, fields = spec["containers"][0], managed.pop('k:{"name":"api"}')
    texts = json.dumps(first | {"image": "<image>"}), json.dumps(fields)
    spec["containers"] = [json.loads(texts[0]) | {"name": name} for name in names]
    managed.update({f'k:{{"name":"{name}"}}': json.loads(texts[1]) for name in names})


def _write_as_applied(pod: dict[str, Any]) -> str:
    metadata = {"labels": pod["metadata"]["labels"], "name": "web-<number>", "namespace": "shop"}
    applied = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]}
    return _write(applied).replace("<image>", "registry.example.com/myapp/api:1.4.2") + "\n"


def _annotate(pod: dict[str, Any], managed: dict[str, Any], key: str, text: str) -> None:
    pod["metadata"].setdefault("annotations", {})[key] = text
    managed["f:metadata"].setdefault("f:annotations", {".": {}})[f"f:{key}"] = {}


def _thin(spec: dict[str, Any], managed: dict[str, Any], excess: Callable[[], int]) -> None:
    """Take away what many Pods do not have, as long as there is too much."""
    for field in ("livenessProbe", "readinessProbe", "envFrom", "securityContext"):
        if excess() <= 0:
            return
        for container, fields in zip(spec["containers"], managed.values(), strict=True):
            container.pop(field)
            fields.pop(f"f:{field}")


def _fill(spec: dict[str, Any], managed: dict[str, Any], room: Callable[[], int]) -> None:
    """Add environment to one container after the other, as long as there is room."""
    places = list(zip(spec["containers"], managed.values(), strict=True))
    for number in count():
        container, fields = places[number % len(places)]
        name = f"SERVICE_{number}_URL"
        container["env"].append(
            {"name": name, "value": f"https://service-{number}.shop.svc.cluster.local:8443/<number>"}
        )
        fields["f:env"][f'k:{{"name":"{name}"}}'] = {".": {}, "f:name": {}, "f:value": {}}
        if room() < 0:
            container["env"].pop()
            fields["f:env"].popitem()
            return


def _measure(review: dict[str, Any]) -> int:
    """Measure the body, in bytes, once the places are filled in."""
    text = _write(review)
    image = len(name_image(50_000))
    return len(text.replace("<number>", "00000").replace("<uid>", "0" * 36).replace("<image>", "0" * image))


def _write(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
