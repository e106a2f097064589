"""Reads the cases: what other people's tools send, each with its expected result. They are asked of the demo's world.

`reviews/NAME.json` holds `row` (of the table of cases), `expect`, `review`, and where needed the gate's `arguments` and
keys of its `policy`. `lists/NAME` is a main image list; what is expected of it is next to it in `NAME.expect.json`.
"""

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent
DEMO = CASES.parents[1] / "examples/demo"
sys.path.insert(0, str(DEMO))
from layout import lay_out  # type: ignore[import-not-found]  # noqa: E402 -- a script beside the demo, no package

IMAGE_LIST = "copa-image-list.yaml"


@dataclass(frozen=True)
class ReviewCase:
    """A review, and what the gate is to say of it.

    Attributes:
        name: of the file.
        review: as kube-apiserver sends it.
        allowed: whether it may pass.
        reason: its code.
        warnings: a part of each warning that must be there, in order; none: there must be no warning.
        audit: audit annotations that must be there.
        arguments: of the gate.
        policy: keys of the demo's policy that differ.
    """

    name: str
    review: dict[str, Any]
    allowed: bool
    reason: str
    warnings: tuple[str, ...]
    audit: dict[str, str]
    arguments: tuple[str, ...]
    policy: tuple[tuple[str, str], ...]

    @property
    def request(self) -> dict[str, Any]:
        request: dict[str, Any] = self.review["request"]
        return request


def read_reviews() -> list[ReviewCase]:
    """Every review."""
    return [_read_review(path) for path in sorted((CASES / "reviews").glob("*.json"))]


def _read_review(path: Path) -> ReviewCase:
    content = json.loads(path.read_text(encoding="utf-8"))
    expect = content["expect"]
    return ReviewCase(
        name=f"{content['row']}-{path.stem}",
        review=content["review"],
        allowed=expect["allowed"],
        reason=expect["reason"],
        warnings=tuple(expect.get("warnings", ())),
        audit=expect.get("audit", {}),
        arguments=tuple(content.get("arguments", ())),
        policy=tuple(content.get("policy", {}).items()),
    )


def read_lists() -> list[tuple[Path, dict[str, Any]]]:
    """Every list with what is expected of it."""
    found = sorted((CASES / "lists").glob("*.expect.json"))
    return [(path.with_name(path.name.removesuffix(".expect.json")), json.loads(path.read_text())) for path in found]


def write_demo(directory: Path, now: datetime, policy: tuple[tuple[str, str], ...] = ()) -> Path:
    """Write the demo's ConfigMaps, times around now, with other keys in the policy."""
    lay_out(DEMO / "configmaps", directory, now)
    if policy:
        path = directory / IMAGE_LIST
        configmap = yaml.safe_load(path.read_text(encoding="utf-8"))
        configmap["data"] |= dict(policy)
        path.write_text(yaml.safe_dump(configmap), encoding="utf-8")
    return directory
