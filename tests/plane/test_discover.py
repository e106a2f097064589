"""`patchgate discover --kubernetes` on a real kube-apiserver: Pods and templates, in pages, with list rights alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from patchgate.limits import LIST_PAGE_OBJECTS
from tests.conftest import write_configmaps
from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import cron_job, daemon_set, deployment, job, pod, replica_set, stateful_set
from tests.world import image_list

PODS = 1200
API = "registry.example.com/found/api"
USER = "discoverer"
NAMESPACES = ("found-a", "found-b", "found-many")
RULES = [
    {"apiGroups": [""], "resources": ["pods", "replicationcontrollers"], "verbs": ["list"]},
    {
        "apiGroups": ["apps"],
        "resources": ["deployments", "replicasets", "statefulsets", "daemonsets"],
        "verbs": ["list"],
    },
    {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list"]},
]
"""What docs/cluster.md says that it needs."""


@dataclass(frozen=True)
class Discovery:
    """A user who may list workloads and nothing else, and the names of what was made."""

    kubeconfig: Path
    lists: Path
    names: dict[str, str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command in a process of its own, as that user."""
        command = [sys.executable, "-m", "patchgate", "discover", "--kubernetes", *arguments]
        environment = os.environ | {"KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)

    def find(self, *arguments: str) -> dict[str, list[str]]:
        """Find the images of this test, each with its workloads."""
        done = self.run("--source", str(self.lists), "-o", "json", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        groups: list[dict[str, Any]] = json.loads(done.stdout)["repositories"]
        return {
            image["image"].removeprefix(f"{API}:"): image["workloads"]
            for group in groups
            for image in group["images"]
            if group["repository"] == API
        }


@pytest.fixture(scope="module")
def discovery(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Discovery]:
    made = [plane.make_namespace(namespace) for namespace in NAMESPACES]
    first, second, many = made
    objects = {
        "Deployment": deployment(f"{API}:deployment"),
        "ReplicaSet": replica_set(f"{API}:replica-set"),
        "StatefulSet": stateful_set(f"{API}:stateful-set"),
    }
    others = {
        "DaemonSet": daemon_set(f"{API}:daemon-set"),
        "Job": job(f"{API}:job"),
        "CronJob": cron_job(f"{API}:cron-job"),
        "Pod": pod(f"{API}:pod"),
    }
    for inside, group in ((first, objects), (second, others)):
        for obj in group.values():
            inside.do("create", "-f", "-", given=obj)
    wait_until(lambda: first.get("pods")["items"], "the controllers make Pods")
    items = [pod(f"{API}:many") for _ in range(PODS)]
    for start in range(0, PODS, 300):
        many.do("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items[start : start + 300]})
    rights = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": USER}}
    plane.kubectl.do("create", "-f", "-", given=rights | {"rules": RULES})
    plane.kubectl.do("create", "clusterrolebinding", USER, f"--clusterrole={USER}", f"--user={USER}")
    names = {kind: obj["metadata"]["name"] for kind, obj in (objects | others).items()}
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, USER)
    lists = write_configmaps(tmp_path_factory.mktemp("lists"), image_list(f"{API}:pod"))
    yield Discovery(kubeconfig, lists, names)
    plane.kubectl.do("delete", "namespace", *NAMESPACES, "--wait=false")


def test_pods_and_templates_of_every_namespace_under_the_names_that_people_gave(discovery: Discovery) -> None:
    found = discovery.find()
    name = discovery.names
    assert {tag: workloads for tag, workloads in found.items() if tag != "many"} == {
        "deployment": [f"Deployment found-a/{name['Deployment']}"],
        "replica-set": [f"ReplicaSet found-a/{name['ReplicaSet']}"],
        "stateful-set": [f"StatefulSet found-a/{name['StatefulSet']}"],
        "daemon-set": [f"DaemonSet found-b/{name['DaemonSet']}"],
        "job": [f"Job found-b/{name['Job']}"],
        "cron-job": [f"CronJob found-b/{name['CronJob']}"],
        "pod": [f"Pod found-b/{name['Pod']}"],
    }


def test_more_pods_than_one_page_has_are_all_found(discovery: Discovery) -> None:
    assert PODS > 2 * LIST_PAGE_OBJECTS
    assert len(discovery.find()["many"]) == PODS


def test_one_namespace_alone(discovery: Discovery) -> None:
    assert set(discovery.find("-n", "found-b")) == {"daemon-set", "job", "cron-job", "pod"}


def test_the_lines_to_add_lack_what_is_listed(discovery: Discovery) -> None:
    done = discovery.run("--source", str(discovery.lists), "-n", "found-b", "-o", "list")
    assert {line.split()[0] for line in done.stdout.splitlines()} == {
        f"{API}:daemon-set",
        f"{API}:job",
        f"{API}:cron-job",
    }


def test_a_missing_right_is_said_with_what_to_give(plane: Plane, discovery: Discovery) -> None:
    nobody = plane.credentials.write_kubeconfig(plane.server, "nobody-in-particular")
    done = Discovery(nobody, discovery.lists, {}).run("--source", str(discovery.lists))
    assert (done.returncode, done.stdout) == (2, "")
    assert "may not list replicasets (403): give a ClusterRole with list on pods" in done.stderr


def test_lists_of_the_cluster_that_may_not_be_read_are_said(discovery: Discovery) -> None:
    done = discovery.run("-n", "found-b")
    assert (done.returncode, done.stdout) == (2, "")
    assert "may not list configmaps in copa-system (403)" in done.stderr
