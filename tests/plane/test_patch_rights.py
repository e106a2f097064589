"""`patchgate patch --kubernetes` as the ServiceAccount of the chart: all that its Role gives, and one right less."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.patch_ground import Ground, open_ground
from tests.die_with_parent import die_with_parent
from tests.patcher.programs import PATH
from tests.plane.control_plane import Plane
from tests.plane.patch_cluster import PatchCluster, Rules, make_patch_cluster
from tests.world import NAMES, image_list, team_list

RUN_SECONDS = 120.0


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with open_ground(tmp_path) as opened:
        yield opened


@pytest.fixture
def cluster(plane: Plane, tmp_path: Path) -> PatchCluster:
    return make_patch_cluster(plane, f"rights-{uuid4().hex[:8]}", tmp_path)


def patch(
    cluster: PatchCluster, ground: Ground, *arguments: str, **shard: str
) -> tuple[int, str, list[dict[str, object]]]:
    """Run the patcher in a process of its own; gives exit code, answer and log, or what it said last."""
    given = ["--kubernetes", "--system-namespace", cluster.namespace, *ground.arguments[3:], *arguments]
    done = subprocess.run(
        [*die_with_parent(), sys.executable, "-m", "patchgate", "patch", *given],
        env={"PATH": PATH, "HOME": str(ground.directory), "KUBECONFIG": str(cluster.kubeconfig), **shard}
        | {name: text for name, text in os.environ.items() if name.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    lines = done.stderr.splitlines()
    return (
        done.returncode,
        done.stdout,
        [json.loads(line) if line.startswith("{") else {"said": line} for line in lines],
    )


def test_with_exactly_this_role_lists_are_read_records_written_and_failures_told(
    cluster: PatchCluster, ground: Ground
) -> None:
    one, gone, other = (f"{ground.registry.host}/shop/api:{tag}" for tag in ("1.0", "gone", "2.0"))
    cluster.put(image_list(one, gone), team_list(other))
    code, out, _ = patch(cluster, ground, "-o", "json")
    assert (code, json.loads(out)["results"]) == (1, json.loads(out)["results"] | {"clean": 2, "failed": 1})
    records = json.loads(cluster.get()["data"]["records.json"])
    states = {key: record["state"] for key, record in records["records"].items()}
    assert states == {one: "clean", other: "clean", gone: "failed"}
    assert records["last_run"]
    assert "claims" not in records
    (event,) = cluster.events()
    assert (event["reason"], event["involvedObject"]["name"]) == ("ImageFailed", NAMES.image_list)
    assert event["involvedObject"]["uid"] == cluster.get(NAMES.image_list)["metadata"]["uid"]
    assert event["message"].startswith(f"{gone}: is not in its registry")
    assert patch(cluster, ground)[0] == 1
    assert len(cluster.events()) == 1, "the same failure is the same Event"


def without(verb: str, resource: str = "configmaps") -> Callable[[Rules], Rules]:
    """Take a verb on a resource out of the Role."""

    def change(rules: Rules) -> Rules:
        kept = ([v for v in rule["verbs"] if v != verb or resource not in rule["resources"]] for rule in rules)
        return [rule | {"verbs": verbs} for rule, verbs in zip(rules, kept, strict=True) if verbs]

    return change


def without_the_first(rules: Rules) -> Rules:
    for rule in rules:
        if "resourceNames" in rule:
            rule["resourceNames"].remove(NAMES.records)
    return rules


@pytest.mark.parametrize(
    ("change", "action", "right"),
    [
        (without("list"), "list configmaps in {}", "get and list on configmaps"),
        (without("get"), "get configmaps in {}", "get and list on configmaps"),
    ],
)
def test_without_the_right_to_read_it_cannot_start_and_says_which_is_missing(
    cluster: PatchCluster, ground: Ground, change: Callable[[Rules], Rules], action: str, right: str
) -> None:
    cluster.put(image_list(f"{ground.registry.host}/shop/api:1.0"))
    cluster.grant(change)
    code, out, (last,) = patch(cluster, ground)
    said = f"patchgate: may not {action.format(cluster.namespace)} (403): give its service account a Role with {right}"
    assert (code, out, last) == (2, "", {"said": said})


@pytest.mark.parametrize("change", [without("update"), without_the_first])
def test_without_the_right_to_write_the_image_fails_and_says_which_is_missing(
    cluster: PatchCluster, ground: Ground, change: Callable[[Rules], Rules]
) -> None:
    cluster.put(image_list(f"{ground.registry.host}/shop/api:1.0"))
    cluster.grant(change)
    code, out, _ = patch(cluster, ground, "-o", "json")
    (image,) = json.loads(out)["images"]
    missing = f"may not update configmap {NAMES.records} in {cluster.namespace} (403): "
    assert (code, image["result"]) == (1, "failed")
    assert image["message"].startswith(
        f"{missing}give its service account a Role with update on the ConfigMap {NAMES.records}"
    )
    assert "data" not in cluster.get()


def test_without_the_right_to_create_events_all_else_goes_on(cluster: PatchCluster, ground: Ground) -> None:
    one, gone = (f"{ground.registry.host}/shop/api:{tag}" for tag in ("1.0", "gone"))
    cluster.put(image_list(one, gone))
    cluster.grant(without("create", "events"))
    code, _, log = patch(cluster, ground)
    assert code == 1
    (told,) = [line for line in log if line.get("event") == "does not count"]
    needed = "give its service account a Role with create on events"
    assert told["reason"] == f"may not create events in {cluster.namespace} (403): {needed}"
    records = json.loads(cluster.get()["data"]["records.json"])
    assert set(records["records"]) == {one, gone}
    assert records["last_run"]


def test_shards_of_a_job_do_all_of_it_together_and_a_wrong_one_cannot_start(
    cluster: PatchCluster, ground: Ground
) -> None:
    images = [f"{ground.registry.host}/shop/app-{number}:1.0" for number in range(6)]
    cluster.put(image_list(*images))
    done = []
    for index in ("0", "1"):
        code, out, _ = patch(cluster, ground, "-o", "json", JOB_COMPLETION_INDEX=index, JOB_COMPLETIONS="2")
        assert code == 0
        done.append({image["image"] for image in json.loads(out)["images"]})
    assert done[0] | done[1] == set(images)
    assert not done[0] & done[1]
    assert done[0]
    assert done[1]
    code, _, (last,) = patch(cluster, ground, JOB_COMPLETION_INDEX="2", JOB_COMPLETIONS="2")
    assert (code, str(last["said"]).startswith("patchgate: JOB_COMPLETION_INDEX is 2")) == (2, True)
    assert patch(cluster, ground, JOB_COMPLETION_INDEX="0")[0] == 2


def test_a_dry_run_writes_nothing(cluster: PatchCluster, ground: Ground) -> None:
    cluster.put(image_list(f"{ground.registry.host}/shop/api:1.0"))
    before = cluster.get()["metadata"]["resourceVersion"]
    code, out, _ = patch(cluster, ground, "--dry-run", "-o", "json")
    assert (code, json.loads(out)["images"][0]["action"]) == (0, "scan")
    assert cluster.get()["metadata"]["resourceVersion"] == before
