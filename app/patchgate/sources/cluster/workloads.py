"""Lists what runs in a cluster: Pods that have not ended, and templates that may make some. Reads only, in pages.

A page is handed on and forgotten, so that a cluster of any size fits. What a controller made is told under the name of
what people wrote: the Deployment of a Pod's ReplicaSet, the CronJob of a Job.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from kubernetes.client import AppsV1Api, BatchV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import read_mapping, read_object
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.limits import LIST_AGAIN, LIST_PAGE_OBJECTS
from patchgate.policy.verdict import show
from patchgate.sources.running import Found

NEEDED: Final = (
    'give a ClusterRole with list on pods and replicationcontrollers (""), deployments, replicasets, statefulsets and '
    "daemonsets (apps), jobs and cronjobs (batch), or a Role in one namespace and -n"
)
_NOT_ENDED: Final = "status.phase!=Succeeded,status.phase!=Failed"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind that is listed. method: its name in the client's methods. fields: a field selector."""

    api: type[CoreV1Api | AppsV1Api | BatchV1Api]
    version: str
    name: str
    method: str
    fields: str = ""


# Those that others own come first: a Pod's ReplicaSet must be known by then.
_KINDS: Final = (
    _Kind(AppsV1Api, "apps/v1", "ReplicaSet", "replica_set"),
    _Kind(BatchV1Api, "batch/v1", "Job", "job"),
    _Kind(AppsV1Api, "apps/v1", "Deployment", "deployment"),
    _Kind(AppsV1Api, "apps/v1", "StatefulSet", "stateful_set"),
    _Kind(AppsV1Api, "apps/v1", "DaemonSet", "daemon_set"),
    _Kind(BatchV1Api, "batch/v1", "CronJob", "cron_job"),
    _Kind(CoreV1Api, "v1", "ReplicationController", "replication_controller"),
    _Kind(CoreV1Api, "v1", "Pod", "pod", _NOT_ENDED),
)
_LISTED: Final = frozenset(kind.name for kind in _KINDS)
_Owner = tuple[str, str]
"""Kind and name."""


def list_workloads(api: CoreV1Api, namespace: str | None, pace: Pace | None = None) -> Iterator[Found]:
    """List what runs, in one namespace or in all. Blocks.

    Raises:
        SourceError: a kind cannot be listed; says which right is missing.
    """
    owners: dict[tuple[str, str, str], _Owner] = {}
    for kind in _KINDS:
        for item in _list_kind(kind, api, namespace, pace or Pace()):
            place, own = _text(item, "namespace"), (kind.name, _text(item, "name"))
            owner = _find_owner(item)
            if owner:
                owners[place, *own] = owner
            if _is_over(kind, item) or (kind.name != "Pod" and owner and owner[0] in _LISTED):
                continue
            made_by, name = _find_first(place, owner or own, owners)
            value = item | {"apiVersion": kind.version, "kind": kind.name}  # a list's items are without them
            yield Found(show(f"{made_by} {place}/{name}"), place, value)  # anybody may write an owner of any name


def _find_owner(item: dict[str, Any]) -> _Owner | None:
    """Find the controller that made an object; a Node, which makes the Pods of its own files, is none."""
    references = read_mapping(item, "metadata").get("ownerReferences")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("controller") and reference.get("kind") != "Node":
            return str(reference.get("kind")), str(reference.get("name"))
    return None


def _find_first(namespace: str, owner: _Owner, owners: dict[tuple[str, str, str], _Owner]) -> _Owner:
    """Find who stands at the beginning: of a ReplicaSet the Deployment, if it was made by one."""
    return owners.get((namespace, *owner), owner) if owner[0] in _LISTED else owner


def _is_over(kind: _Kind, item: dict[str, Any]) -> bool:
    """Tell whether it makes no Pods any more: an old revision, or a Job that has ended."""
    match kind.name:
        case "ReplicaSet":
            return read_mapping(item, "spec").get("replicas") == 0
        case "Job":
            conditions = read_mapping(item, "status").get("conditions") or ()
            return any(
                each.get("type") in {"Complete", "Failed"} and each.get("status") == "True" for each in conditions
            )
        case _:
            return False


def _text(item: dict[str, Any], key: str) -> str:
    return str(read_mapping(item, "metadata").get(key, ""))


def _list_kind(kind: _Kind, api: CoreV1Api, namespace: str | None, pace: Pace) -> Iterator[dict[str, Any]]:
    """List one kind page by page; anew where what a page goes on from is too old (410): nothing is counted twice."""
    for attempt in range(LIST_AGAIN + 1):
        try:
            yield from _list_pages(kind, api, namespace, pace)
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.GONE and attempt < LIST_AGAIN:
                continue
            host, where = api.api_client.configuration.host, f" in {namespace}" if namespace else ""
            raise SourceError(say_failure(error, f"list {kind.name.lower()}s{where}", host, NEEDED)) from error
        return


def _list_pages(kind: _Kind, api: CoreV1Api, namespace: str | None, pace: Pace) -> Iterator[dict[str, Any]]:
    client = kind.api(api.api_client)
    name = f"list_namespaced_{kind.method}" if namespace else f"list_{kind.method}_for_all_namespaces"
    options: dict[str, Any] = {"limit": LIST_PAGE_OBJECTS, "_request_timeout": pace.request_seconds}
    if kind.fields:
        options["field_selector"] = kind.fields
    while True:
        page = read_object(getattr(client, name)(*[namespace] * bool(namespace), _preload_content=False, **options))
        yield from (item for item in page.get("items") or () if isinstance(item, dict))
        token = read_mapping(page, "metadata").get("continue")
        if not token:
            return
        options["_continue"] = token
