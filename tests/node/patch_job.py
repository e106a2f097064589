"""A run of the patcher on the node: what the chart is told for it there, and the CronJob triggered by hand."""

import json
from typing import Any, Final

from tests.node import addresses
from tests.node.debian_images import DATABASE
from tests.node.installed import Installed
from tests.plane.control_plane import wait_until

PATCHER: Final[dict[str, Any]] = {
    "plainHttp": [addresses.REGISTRY],
    "trivy": {"dbRepository": DATABASE},
    "extraEnv": [
        {"name": "HTTP_PROXY", "value": addresses.PROXY},
        {"name": "NO_PROXY", "value": addresses.NODE},
    ],
}
"""What the patcher is told in a cluster without a way out but its proxy, whose registry has no TLS."""
REGISTRIES: Final[list[dict[str, Any]]] = [
    {"host": addresses.REGISTRY, "http": True},
    {"host": "ghcr.io", "mirrors": [addresses.REGISTRY]},
]
"""What BuildKit is told there."""
_RUN_SECONDS: Final = 480.0  # on a quiet machine 40
_OVER: Final = {"Complete", "Failed"}
_POD: Final = "batch.kubernetes.io/job-name={0}"
_SHARD: Final = f"{_POD},batch.kubernetes.io/job-completion-index={{1}}"


def run_job(release: Installed, name: str) -> None:
    """Trigger the CronJob as docs and NOTES say; the Job must end, and go well."""
    release.system.do("create", "job", "--from=cronjob/copa-image-patcher", name)

    def find_end() -> set[str]:
        conditions = release.system.get("job", name)["status"].get("conditions", [])
        return _OVER & {each["type"] for each in conditions if each["status"] == "True"}

    wait_until(find_end, "the Job is over", _RUN_SECONDS)
    assert find_end() == {"Complete"}, _read_log(release, _POD.format(name))


def read_results(release: Installed, job: str, shard: int | None = None) -> list[dict[str, int]]:
    """Read what a Job's Pods, or that of one shard, say at their end: result → images."""
    labels = _POD.format(job) if shard is None else _SHARD.format(job, shard)
    lines = _read_log(release, labels).splitlines()
    return [json.loads(line)["results"] for line in lines if '"event":"ended"' in line]


def read_records(release: Installed) -> dict[str, Any]:
    """Read the records that the first ConfigMap of them has, by image."""
    written = release.system.get("configmap", "copa-patched-digests")["data"]["records.json"]
    return dict(json.loads(written)["records"])


def _read_log(release: Installed, labels: str) -> str:
    return release.system.do("logs", "-l", labels, "-c", "patcher", "--tail=-1").out
