"""docs/decision.md: its table has the rows of the code, and each example is decided as it says."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from patchgate.configmaps.policy_keys import read_policy
from patchgate.policy.explain import QUESTIONS
from patchgate.policy.rows import ROWS
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.directory import DirectorySource
from tests.world import NOW, image_list, snapshot, verdict

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples/demo"))
from layout import lay_out  # type: ignore[import-not-found]  # noqa: E402 -- a script beside the demo, no package

if TYPE_CHECKING:
    from patchgate.configmaps.configmap import ConfigMap

TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/decision.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    world = tmp_path_factory.mktemp("demo")
    lay_out(ROOT / "examples/demo/configmaps", world, NOW)
    taken: list[ConfigMap] = []
    assert DirectorySource(world).read(taken.append).problems == ()
    return snapshot(*taken)


def test_the_demo_has_no_problem_in_its_data(demo: Snapshot) -> None:
    assert list(demo.list_problems(NOW)) == []


def test_the_document_has_every_row_in_its_order() -> None:
    assert list(dict.fromkeys(int(row[0]) for row in TABLE)) == list(range(1, len(ROWS) + 1))


def test_an_explanation_asks_every_row() -> None:
    assert len(QUESTIONS) == len(ROWS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[3]}")
def test_each_example_is_decided_as_the_row_says(row: list[str], demo: Snapshot) -> None:
    _, _, effect, reason, example = row
    image, _, policy = example.partition(" under ")
    found = verdict(fill_in_date(image.strip("`"), demo), under(policy.strip("`"), demo))
    assert found.reason == reason
    if not effect.startswith("by "):
        assert found.allowed is effect.startswith("allow")


def under(policy: str, demo: Snapshot) -> Snapshot:
    """The demo's world with `key: value` in its policy; as it is if nothing is given."""
    if not policy:
        return demo
    key, _, value = policy.partition(": ")
    return replace(demo, policy=read_policy(image_list(**{key: value}), demo.policy)[0])


def fill_in_date(image: str, demo: Snapshot) -> str:
    """Put the date of the patched tag that the demo has in the place of YYYYMMDD."""
    beginning, date, _ = image.partition("YYYYMMDD")
    if not date:
        return image
    repository, _, _ = beginning.rpartition(":")
    found = demo.find_repository(repository)
    assert found
    return next(f"{repository}:{tag}" for tag in found.approvals_by_tag if f"{repository}:{tag}".startswith(beginning))
