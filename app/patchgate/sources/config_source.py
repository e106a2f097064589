"""Where ConfigMaps come from, and reading them once: all that a command needs which only answers.

The Kubernetes client is imported where a cluster is asked for: half a second and 30 MiB that nothing else pays.
"""

# ruff: noqa: PLC0415 -- the reason is above

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.sources.directory import DirectorySource
from patchgate.sources.source import Reading

SYSTEM_NAMESPACE: Final = "copa-system"


@dataclass(frozen=True, slots=True)
class Directory:
    """ConfigMaps as YAML files in a directory."""

    path: Path


@dataclass(frozen=True, slots=True)
class Cluster:
    """The ConfigMaps of a namespace, by way of kube-apiserver."""

    namespace: str
    access: Access = field(default_factory=Access)


def read_once(chosen: Directory | Cluster, names: Names, take: Callable[[ConfigMap], None]) -> Reading:
    """Hand over every ConfigMap that there is. Blocks.

    Raises:
        SourceError: the source cannot be read.
    """
    match chosen:
        case Directory(path):
            return DirectorySource(path).read(take)
        case Cluster(namespace, access):
            from patchgate.cluster.client import make_client
            from patchgate.sources.cluster.source import read_cluster_once

            return read_cluster_once(make_client(access), namespace, names.concern, take)
