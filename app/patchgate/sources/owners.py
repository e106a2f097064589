"""Folds what controllers made under what people wrote: the Deployment of a Pod's ReplicaSet, the CronJob of a Job.

Pure: of objects as JSON has them, of a cluster's lists and of what kubectl printed alike.
"""

from collections.abc import Mapping
from typing import Any, Final

from patchgate.policy.verdict import show

Owner = tuple[str, str]
"""Kind and name."""
MAKERS: Final = frozenset(
    {"ReplicaSet", "Job", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicationController"}
)
"""The kinds whose template is that of all they make."""
_ENDED_PHASES: Final = frozenset({"Succeeded", "Failed"})  # core/v1, PodPhase
_ENDED_CONDITIONS: Final = frozenset({"Complete", "Failed"})  # batch/v1, JobConditionType


class Owners:
    """Which controller made which object."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str, str], Owner] = {}

    def add(self, kind: str, item: Mapping[str, Any]) -> None:
        """Remember who made an object."""
        if owner := find_owner(item):
            self._owners[read_text(item, "namespace"), kind, read_text(item, "name")] = owner

    def find_first(self, item: Mapping[str, Any]) -> Owner | None:
        """Find who made an object in the first place: of a ReplicaSet's Pod the Deployment, if that made it."""
        owner = find_owner(item)
        if owner is None or owner[0] not in MAKERS:
            return owner
        return self._owners.get((read_text(item, "namespace"), *owner), owner)


def find_owner(item: Mapping[str, Any]) -> Owner | None:
    """Find the controller that made an object; a Node, which makes the Pods of its own files, is none."""
    references = _read_metadata(item).get("ownerReferences")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("controller") and reference.get("kind") != "Node":
            return str(reference.get("kind")), str(reference.get("name"))
    return None


def find_end(kind: str, item: Mapping[str, Any]) -> str | None:
    """Find why an object makes no Pods any more: an old revision, a Job or Pod that has ended. None where it may."""
    status = item.get("status")
    status = status if isinstance(status, dict) else {}
    match kind:
        case "ReplicaSet":
            spec = item.get("spec")
            return "has no replicas" if isinstance(spec, dict) and spec.get("replicas") == 0 else None
        case "Job":
            return "has ended" if any(map(_is_end, _read_list(status, "conditions"))) else None
        case "Pod":
            return "has ended" if status.get("phase") in _ENDED_PHASES else None
        case _:
            return None


def name_workload(kind: str, namespace: str, name: str) -> str:
    """Name a workload for people; anybody may write an owner of any name."""
    return show(f"{kind} {namespace}/{name}")


def read_text(item: Mapping[str, Any], key: str) -> str:
    """Read a text of the metadata; empty where there is none."""
    value = _read_metadata(item).get(key)
    return value if isinstance(value, str) else ""


def _is_end(condition: object) -> bool:
    if not isinstance(condition, dict):
        return False
    return condition.get("type") in _ENDED_CONDITIONS and condition.get("status") == "True"


def _read_metadata(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _read_list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []
