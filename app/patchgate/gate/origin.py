"""Opens what ConfigMaps come from, a directory or a cluster, for as long as the gate lives.

The Kubernetes client is imported where a cluster is asked for: half a second and 30 MiB that nobody else pays.
"""

# ruff: noqa: PLC0415 -- the reason is above

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.gate.announce import TellPeople
from patchgate.sources.config_source import Cluster, Directory
from patchgate.sources.directory import DirectorySource
from patchgate.sources.source import Source


@dataclass(frozen=True, slots=True)
class Origin:
    """What a gate reads, and what goes with it.

    Attributes:
        source: read and followed.
        find_contact_age_seconds: gives the seconds since the other side was last heard; None where there is none.
        tell: tells the authors of ConfigMaps of problems, where there is a way.
    """

    source: Source
    find_contact_age_seconds: Callable[[], float | None] = lambda: None
    tell: TellPeople | None = None


@contextmanager
def open_origin(chosen: Directory | Cluster, names: Names) -> Iterator[Origin]:
    """Open a source for as long as the block lasts.

    Raises:
        SourceError: there is no such directory, or no cluster to ask. One that does not answer is lived through.
    """
    match chosen:
        case Directory(path):
            directory = DirectorySource(path)
            directory.list_paths()  # not there is a slip at the start, and a fault to live through later
            yield Origin(directory)
        case Cluster(namespace, access):
            with _open_cluster(namespace, access, names) as origin:
                yield origin


@contextmanager
def _open_cluster(namespace: str, access: Access, names: Names) -> Iterator[Origin]:
    from patchgate.cluster.client import make_client
    from patchgate.cluster.event import EventWriter
    from patchgate.sources.cluster.source import follow_cluster

    # It logs every failure with a traceback; the source says each once.
    logging.getLogger("kubernetes.informer.informer").setLevel(logging.CRITICAL)
    api = make_client(access)
    with follow_cluster(api, namespace, names.concern) as source:
        writer = EventWriter(api, namespace, source.find_uid)
        yield Origin(source, lambda: source.contact_age_seconds, writer.write)
