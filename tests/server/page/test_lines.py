"""Lines to copy: they name what is approved, parse, and mean this tag alone."""

import shlex

import pytest
import yaml

from patchgate.flux.objects import Followed
from patchgate.server.page.index import Index
from patchgate.server.page.lines import Lines, write_lines
from tests.server.page.images import CLEAN, DONE, LATE, NEW, TEAM, every_standing, index_of
from tests.world import NOW, digest, image_list, patched, records, snapshot

APPROVED = f"{DONE}-patched-20260509@{digest('done done')}"


@pytest.fixture(scope="module")
def index() -> Index:
    return index_of(every_standing())


def lines_of(index: Index, image: str) -> list[Lines]:
    entry = next(entry for entry in index.entries if entry.tracked.image == image)
    return list(write_lines(image, entry.tracked.record, entry.find_approval(NOW)))


def find(index: Index, tool: str) -> str:
    return next(lines.text for lines in reversed(lines_of(index, DONE)) if lines.tool == tool)


@pytest.mark.parametrize(
    ("image", "tools"),
    [
        (DONE, ["kubectl", "kubectl", "Flux", "Kyverno"]),
        (CLEAN, ["kubectl", "kubectl"]),
        (LATE, ["kubectl"]),
        (NEW, ["kubectl"]),
    ],
)
def test_there_are_lines_for_what_can_be_done(index: Index, image: str, tools: list[str]) -> None:
    assert [lines.tool for lines in lines_of(index, image)] == tools


def test_kubectl_sets_the_approved_digest(index: Index) -> None:
    assert shlex.split(find(index, "kubectl"))[-1] == f"CONTAINER={APPROVED}"


def test_flux_is_given_the_marker_of_the_policy_that_patchgate_flux_writes(index: Index) -> None:
    repository = DONE.rpartition(":")[0]
    policy = Followed(repository, "1").policy
    assert find(index, "Flux") == f'image: {APPROVED} # {{"$imagepolicy": "flux-system:{policy}"}}'


def test_kyverno_replaces_this_image_by_the_approved_one(index: Index) -> None:
    rule = yaml.safe_load(find(index, "Kyverno"))[0]
    each = rule["mutate"]["foreach"][0]
    assert each["preconditions"]["all"][0]["value"] == [DONE]
    assert each["patchStrategicMerge"]["spec"]["containers"][0]["image"] == APPROVED


@pytest.mark.parametrize(
    ("image", "shortest", "spellings"),
    [
        (
            "docker.io/library/nginx:1.25",
            "nginx:1.25",
            ["docker.io/library/nginx:1.25", "docker.io/nginx:1.25", "library/nginx:1.25", "nginx:1.25"],
        ),
        ("docker.io/grafana/loki:3", "grafana/loki:3", ["docker.io/grafana/loki:3", "grafana/loki:3"]),
        (f"{TEAM}/app:latest", f"{TEAM}/app", [f"{TEAM}/app:latest", f"{TEAM}/app"]),
        ("[::1]:5000/app:1", "[::1]:5000/app:1", ["[::1]:5000/app:1"]),
    ],
)
def test_pods_are_found_in_whichever_spelling_they_name_it(image: str, shortest: str, spellings: list[str]) -> None:
    approved = f"{image}-patched-20260509"
    index = index_of(snapshot(image_list(image), records({image: patched(approved)})))
    first, *_, kyverno = lines_of(index, image)
    assert shlex.split(first.text)[-1] == shortest
    each = yaml.safe_load(kyverno.text)[0]["mutate"]["foreach"][0]
    assert each["preconditions"]["all"][0]["value"] == spellings
    assert each["patchStrategicMerge"]["spec"]["containers"][0]["image"].startswith(f"{approved}@sha256:")


def test_init_containers_are_looked_at_too(index: Index) -> None:
    assert ".spec.initContainers[*].image" in lines_of(index, DONE)[0].text
