"""P16: a run that shards share. One that fails ends no other, by the real kube-controller-manager."""

import json
from dataclasses import dataclass
from typing import Any

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl

INDEX = "batch.kubernetes.io/job-completion-index"
SHARDS = 3


@dataclass(frozen=True)
class Run:
    """A Job, whose Pods no kubelet runs: a test writes what becomes of them."""

    kubectl: Kubectl
    name: str

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.kubectl.get("job", self.name)["status"])

    @property
    def conditions(self) -> dict[str, str]:
        """Type of each condition that holds → its reason."""
        found = self.status.get("conditions", [])
        return {each["type"]: each.get("reason", "") for each in found if each["status"] == "True"}

    @property
    def pods(self) -> dict[int, dict[str, Any]]:
        """The Pods that are not being ended, by their shard."""
        pods = self.kubectl.get("pods", "-l", f"batch.kubernetes.io/job-name={self.name}")["items"]
        return {
            int(pod["metadata"]["labels"][INDEX]): pod for pod in pods if "deletionTimestamp" not in pod["metadata"]
        }

    def end(self, shard: int, phase: str) -> None:
        """Write the phase that a kubelet would."""
        name = self.pods[shard]["metadata"]["name"]
        status = json.dumps({"status": {"phase": phase}})
        self.kubectl.do("patch", "pod", name, "--subresource=status", "--type=merge", "-p", status)


def start(plane: Plane, helm: Helm, name: str, **changed: object) -> Run:
    """Start the Job of the chart's CronJob. changed: fields of its spec; None takes one away."""
    inside = plane.make_namespace(f"shards-{name}")
    cron_job = Chart(helm).render({"patcher": {"shards": SHARDS}}).find("CronJob", "copa-image-patcher")
    spec = {**cron_job["spec"]["jobTemplate"]["spec"], **changed}
    spec = {key: value for key, value in spec.items() if value is not None}
    spec["template"]["spec"]["serviceAccountName"] = "default"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    inside.do("create", "-f", "-", given=job)
    run = Run(inside, name)
    wait_until(lambda: len(run.pods) == SHARDS, "each shard has its Pod")
    return run


def test_the_others_run_to_their_end_and_then_the_run_has_failed(plane: Plane, helm: Helm) -> None:
    run = start(plane, helm, "apart")
    run.end(1, "Failed")
    wait_until(lambda: run.status.get("failedIndexes") == "1", "the shard has failed")
    assert run.pods.keys() >= {0, 2}
    assert run.conditions == {}
    for shard in (0, 2):
        run.end(shard, "Succeeded")
    wait_until(lambda: "Failed" in run.conditions, "the run is over")
    assert run.conditions["Failed"] == "FailedIndexes"
    assert run.status["completedIndexes"] == "0,2"


def test_a_run_without_a_failure_is_complete(plane: Plane, helm: Helm) -> None:
    run = start(plane, helm, "well")
    for shard in range(SHARDS):
        run.end(shard, "Succeeded")
    wait_until(lambda: "Complete" in run.conditions, "the run is over")


def test_one_limit_for_all_would_end_them(plane: Plane, helm: Helm) -> None:
    run = start(plane, helm, "together", backoffLimitPerIndex=None, backoffLimit=0)
    run.end(1, "Failed")
    wait_until(lambda: not run.pods.keys() & {0, 2}, "the other shards are ended")
