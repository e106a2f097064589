"""The smallest objects that a real kube-apiserver takes, each under a name of its own."""

from typing import Any
from uuid import uuid4

LABELS = {"app": "web"}


def pod(image: str, **spec: object) -> dict[str, Any]:
    """A Pod with one container. spec: more fields of its spec."""
    return _name("v1", "Pod", {"containers": [{"name": "main", "image": image}], **spec})


def deployment(image: str) -> dict[str, Any]:
    return _name("apps/v1", "Deployment", _replicated(image))


def replica_set(image: str) -> dict[str, Any]:
    return _name("apps/v1", "ReplicaSet", _replicated(image))


def stateful_set(image: str) -> dict[str, Any]:
    return _name("apps/v1", "StatefulSet", {**_replicated(image), "serviceName": "web"})


def daemon_set(image: str) -> dict[str, Any]:
    return _name("apps/v1", "DaemonSet", {"selector": {"matchLabels": LABELS}, "template": _template(image)})


def replication_controller(image: str) -> dict[str, Any]:
    return _name("v1", "ReplicationController", {"replicas": 1, "selector": LABELS, "template": _template(image)})


def job(image: str) -> dict[str, Any]:
    return _name("batch/v1", "Job", {"template": _template(image, restartPolicy="Never")})


def cron_job(image: str) -> dict[str, Any]:
    jobs = {"spec": {"template": _template(image, restartPolicy="Never")}}
    return _name("batch/v1", "CronJob", {"schedule": "0 0 1 1 *", "jobTemplate": jobs})


def name_of(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["name"])


def _name(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": f"{kind.lower()}-{uuid4().hex[:8]}"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _replicated(image: str) -> dict[str, Any]:
    return {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": _template(image)}


def _template(image: str, **spec: object) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "main", "image": image}], **spec}}
