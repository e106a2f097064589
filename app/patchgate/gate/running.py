"""Opens what runs in a cluster. The Kubernetes client is imported where a cluster is asked for (`gate.origin`)."""

# ruff: noqa: PLC0415 -- the reason is above

from collections.abc import Iterator

from patchgate.cluster.access import Access
from patchgate.sources.running import Found


def find_running(namespace: str | None, access: Access) -> Iterator[Found]:
    """Find what runs, in one namespace or in all.

    Raises:
        SourceError: no cluster to ask, or it cannot be listed.
    """
    from patchgate.cluster.client import make_client
    from patchgate.sources.cluster.workloads import list_workloads

    return list_workloads(make_client(access), namespace)
