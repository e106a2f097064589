"""AdmissionReviews of any size: the 5 KB Pod of `reviews`, with more containers and more environment."""

import json
from typing import Any, Final

from loadtest.reviews import SIZES, UID, make_template

_KEPT_FIELDS: Final = ("imagePullPolicy", "resources", "terminationMessagePath", "terminationMessagePolicy")
_ENTRY_DIGITS: Final = 6


def grow_template(containers: int, size_bytes: int = 0) -> str:
    """Make a review of a Pod with so many containers, and of at least so many bytes where there is room to fill.

    It has a place for each image (`<image>`), its number (`<number>`) and the uid (UID), as those of `reviews`.
    """
    review = json.loads(make_template(SIZES[0]).replace(UID, "<uid>"))
    spec = review["request"]["object"]["spec"]
    first = spec["containers"][0]
    small = {field: first[field] for field in _KEPT_FIELDS if field in first}
    spec["containers"] += [{"name": f"worker-{number}", "image": "<image>", **small} for number in range(1, containers)]
    _fill(review, size_bytes)
    return _write(review).replace("<uid>", UID)


def fill_in(template: str, images: list[str], number: int) -> str:
    """Fill in the images, one a place, and the number; the uid is left open."""
    head, *rest = template.replace("<number>", f"{number:05}").split("<image>")
    return head + "".join(image + text for image, text in zip(images, rest, strict=True))


def _fill(review: dict[str, Any], size_bytes: int) -> None:
    """Fill the room with environment of the first container and its managed fields, the rest with an annotation."""
    pod = review["request"]["object"]
    environment = pod["spec"]["containers"][0]["env"]
    managed = pod["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"]['k:{"name":"api"}']["f:env"]
    entry, field = _make_entry(0)
    unit_bytes = len(_write(entry)) + len(_write(field)) + 2
    for number in range(max(0, (size_bytes - len(_write(review))) // unit_bytes)):
        entry, field = _make_entry(number)
        environment.append(entry)
        managed |= field
    pod["metadata"]["annotations"]["example.com/note"] += "." * max(0, size_bytes - len(_write(review)))


def _make_entry(number: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Make a variable, and what the managed fields say of it; each is as long as any other."""
    name = f"SERVICE_{number:0{_ENTRY_DIGITS}}_URL"
    value = f"https://service-{number:0{_ENTRY_DIGITS}}.shop.svc.cluster.local:8443/"
    return {"name": name, "value": value}, {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:value": {}}}


def _write(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
