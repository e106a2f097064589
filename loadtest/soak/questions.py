"""Makes the questions of the soak, each with the answer that it must get. Pure: chance is an argument."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from loadtest.grown import grow_template
from loadtest.reviews import UID
from loadtest.world_files import IMAGES, name_changing_image
from loadtest.worlds import LINES_PER_CONFIGMAP, name_approved, name_image

AS_JSON: Final = {"Content-Type": "application/json"}
_OK: Final = 200
_DECISION_IMAGES: Final = 5
_SIZES: Final = {"5 KB": (1, 0), "40 KB": (4, 40 * 1024), "1 MiB": (1, 2**20)}
_WEIGHTS: Final = {"5 KB": 790, "40 KB": 140, "1 MiB": 5, "decisions": 45, "gatekeeper": 20}
_HOT: Final = 20
_MODES: Final = ("enforce",) * 8 + ("warn", "audit")


@dataclass(frozen=True, slots=True)
class Question:
    """A request and what its answer must be.

    Attributes:
        kind: for the table of what was asked.
        path: to POST to.
        body: sent whole.
        complain: says what is wrong with an answer's status and body; empty where nothing is.
        headers: beside those that every request has.
    """

    kind: str
    path: str
    body: bytes
    complain: Callable[[int, bytes], str]
    headers: Mapping[str, str] = field(default_factory=lambda: AS_JSON)


@dataclass(frozen=True, slots=True)
class Asked:
    """An image, and whether it is admitted."""

    name: str
    is_admitted: bool


class Questions:
    """A source of questions; each thread has its own, with a prefix of its own."""

    def __init__(
        self, prefix: str, chance: random.Random, templates: Mapping[str, Sequence[bytes]], images: int = IMAGES
    ) -> None:
        self._prefix = prefix
        self._chance = chance
        self._templates = templates
        self._images = images
        self._number = 0

    def make(self) -> Question:
        """Make the next question, of any kind."""
        kind = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        return self.make_of(kind)

    def make_of(self, kind: str) -> Question:
        """Make the next question of a kind."""
        self._number += 1
        match kind:
            case "decisions":
                return self._make_decisions()
            case "gatekeeper":
                return self._make_gatekeeper()
            case _:
                return self._make_review(kind)

    def _make_review(self, size: str) -> Question:
        mode, pieces = self._chance.choice(_MODES), self._templates[size]
        asked = self.choose(len(pieces) - 2)
        uid = f"{self._prefix}-{self._number:012x}"
        between = [uid.encode(), *(image.name.encode() for image in asked)]
        body = pieces[0] + b"".join(part + piece for part, piece in zip(between, pieces[1:], strict=True))
        is_admitted = mode != "enforce" or all(image.is_admitted for image in asked)
        complain = partial(complain_of_review, uid, is_admitted)
        said = f"review of {size}, {mode}, {'admitted' if is_admitted else 'denied'}"
        return Question(said, f"/validate/{mode}?timeout=10s", body, complain)

    def _make_decisions(self) -> Question:
        asked = self.choose(_DECISION_IMAGES)
        body = json.dumps({"images": [image.name for image in asked], "namespace": "shop"}).encode()
        return Question("/v1/decisions", "/v1/decisions", body, partial(complain_of_decisions, asked))

    def _make_gatekeeper(self) -> Question:
        asked = self.choose(_DECISION_IMAGES)
        keys = {"keys": [image.name for image in asked]}
        body = {"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderRequest", "request": keys}
        complain = partial(complain_of_gatekeeper, asked)
        return Question("/v1/gatekeeper", "/v1/gatekeeper", json.dumps(body).encode(), complain)

    def choose(self, images: int) -> list[Asked]:
        """Choose images, most of them admitted: half of a few hot ones, half of all; and some never seen."""
        chance = self._chance
        return [
            self._choose_one(chance.random(), chance.randrange(chance.choice((_HOT, self._images))))
            for _ in range(images)
        ]

    def _choose_one(self, share: float, number: int) -> Asked:
        patched = number // 2 * 2
        if name_image(patched) == name_changing_image():  # its record comes and goes
            patched = 0
        match int(share * 8):
            case 0:
                return Asked(name_image(patched), is_admitted=False)  # a patch is available
            case 1:
                is_of_teams_alone = patched >= LINES_PER_CONFIGMAP  # no line of the main list has its repository
                return Asked(f"{name_image(patched)}-other", is_admitted=is_of_teams_alone)  # not listed
            case 2 | 3:
                return Asked(f"registry.example.net/{self._prefix}/app-{self._number}:{number}", is_admitted=True)
            case 4:
                return Asked(name_image(patched + 1), is_admitted=True)  # within its SLA
            case _:
                return Asked(name_approved(patched), is_admitted=True)


def make_templates() -> dict[str, list[bytes]]:
    """Make the reviews' texts, each in pieces between which the uid and then every image goes."""
    return {size: _split(grow_template(*shape)) for size, shape in _SIZES.items()}


def complain_of_review(uid: str, is_admitted: bool, status: int, body: bytes) -> str:  # noqa: FBT001 -- bound by partial
    """Say what is wrong with the answer to a review."""
    response = _read(body).get("response", {}) if status == _OK else {}
    if (response.get("uid"), response.get("allowed")) == (uid, is_admitted):
        return ""
    return _say(f"allowed {is_admitted}, uid {uid}", status, body)


def complain_of_decisions(asked: Sequence[Asked], status: int, body: bytes) -> str:
    """Say what is wrong with an answer of /v1/decisions."""
    items = _read(body).get("images", []) if status == _OK else []
    seen = [(item.get("image"), item.get("allowed")) for item in items]
    expected = [(image.name, image.is_admitted) for image in asked]
    return "" if seen == expected else _say(str(expected), status, body)


def complain_of_gatekeeper(asked: Sequence[Asked], status: int, body: bytes) -> str:
    """Say what is wrong with an answer of /v1/gatekeeper."""
    items = _read(body).get("response", {}).get("items", []) if status == _OK else []
    seen = [(item.get("key"), "value" in item) for item in items]
    expected = [(image.name, image.is_admitted) for image in asked]
    return "" if seen == expected else _say(str(expected), status, body)


def complain_of_status(expected: int, status: int, body: bytes) -> str:
    """Say what is wrong with an answer that is expected to have a status."""
    return "" if status == expected else _say(f"status {expected}", status, body)


def _split(template: str) -> list[bytes]:
    text = template.replace("<number>", "00000").replace(UID, "<place>").replace("<image>", "<place>")
    if template.index(UID) > template.index("<image>"):
        raise ValueError("the uid comes before the images, or the places are filled in the wrong order")
    return [piece.encode() for piece in text.split("<place>")]


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _say(expected: str, status: int, body: bytes) -> str:
    return f"expected {expected[:100]}; got {status} {body[:200]!r}"
