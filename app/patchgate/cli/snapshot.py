"""Loads the snapshot that a command answers from."""

from datetime import datetime

from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.configmap import Names
from patchgate.errors import SourceError
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.config_source import Cluster, Directory, read_once


def load_snapshot(source: Directory | Cluster, names: Names, now: datetime) -> tuple[Snapshot, list[Problem]]:
    """Load the snapshot of a source's ConfigMaps of these names, and every invalid entry in it.

    Raises:
        SourceError: the source cannot be read, or holds no main image list.
    """
    snapshot, problems = read_snapshot(source, names, now)
    if not snapshot.is_complete:
        found = f" ({problems[0]})" if problems else ""
        raise SourceError(f"{_name_source(source)}: no ConfigMap {names.image_list}, so nothing can be decided{found}")
    return snapshot, problems


def read_snapshot(source: Directory | Cluster, names: Names, now: datetime) -> tuple[Snapshot, list[Problem]]:
    """Load the same, whether or not there is a main image list: without one nothing is tracked.

    Raises:
        SourceError: the source cannot be read.
    """
    assembly = Assembly(None, names, now)
    reading = read_once(source, names, assembly.take)
    snapshot = assembly.build()
    return snapshot, [*reading.problems, *snapshot.list_problems(now)]


def _name_source(source: Directory | Cluster) -> str:
    match source:
        case Directory(path):
            return f"--source {path}"
        case Cluster(namespace):
            return f"--kubernetes --system-namespace {namespace}"
