"""The patcher's settings: read once by the command line, typed, and passed down.

Each has its flag, its environment variable and its reason in `cli/patch.py`, the one place where they are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from patchgate.configmaps.configmap import Names
from patchgate.patcher.copa import CopaSettings
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.shard import Shard
from patchgate.patcher.trivy import TrivySettings
from patchgate.sources.config_source import Cluster


@dataclass(frozen=True, slots=True)
class PatcherSettings:
    """What `patchgate patch` is told.

    Attributes:
        source: directory of ConfigMaps, or a cluster's namespace of them.
        trivy: how Trivy is run.
        copa: how Copa is run, and where BuildKit is.
        docker_config: directory of the docker config; None for the environment's.
        hosts: how registries are reached.
        names: the names under which ConfigMaps count.
        environment: of which programs get what they need.
        shard: the part of all images that is this run's.
    """

    source: Path | Cluster
    trivy: TrivySettings
    copa: CopaSettings
    docker_config: Path | None = None
    hosts: Hosts = field(default_factory=Hosts)
    names: Names = field(default_factory=Names)
    environment: Mapping[str, str] = field(default_factory=dict)
    shard: Shard = field(default_factory=Shard)
