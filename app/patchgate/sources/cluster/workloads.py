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
from patchgate.sources.owners import MAKERS, Owners, find_end, find_owner, name_workload, read_text
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


def list_workloads(api: CoreV1Api, namespace: str | None, pace: Pace | None = None) -> Iterator[Found]:
    """List what runs, in one namespace or in all. Blocks.

    Raises:
        SourceError: a kind cannot be listed; says which right is missing.
    """
    owners = Owners()
    for kind in _KINDS:
        for item in _list_kind(kind, api, namespace, pace or Pace()):
            owners.add(kind.name, item)
            owner = find_owner(item)
            is_template_of_its_owner = kind.name != "Pod" and owner is not None and owner[0] in MAKERS
            if is_template_of_its_owner or find_end(kind.name, item):
                continue
            place = read_text(item, "namespace")
            made_by, name = owners.find_first(item) or (kind.name, read_text(item, "name"))
            value = item | {"apiVersion": kind.version, "kind": kind.name}  # a list's items are without them
            yield Found(name_workload(made_by, place, name), place, value)


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
