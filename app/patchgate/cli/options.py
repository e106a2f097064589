"""Options that several commands take, each with its environment variable, and what they are read into."""

import contextlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.configmap import Names
from patchgate.errors import SetupError, SourceError
from patchgate.gate.origin import read_once
from patchgate.gate.settings import Cluster, Directory
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import PullPolicy

Source = Annotated[
    Path | None,
    typer.Option("--source", envvar="PATCHGATE_SOURCE", metavar="DIR", help="Directory of ConfigMaps as YAML files."),
]
Kubernetes = Annotated[
    bool,
    typer.Option(
        "--kubernetes",
        envvar="PATCHGATE_KUBERNETES",
        help="Instead: the ConfigMaps of a cluster, by KUBECONFIG, a Pod's service account or ~/.kube/config.",
    ),
]


def _parse_namespace(text: str) -> str:
    if _NAMESPACE.fullmatch(text):
        return text
    raise typer.BadParameter("write the name of a namespace, such as copa-system")


SystemNamespace = Annotated[
    str,
    typer.Option(
        "--system-namespace",
        envvar="PATCHGATE_SYSTEM_NAMESPACE",
        metavar="NAMESPACE",
        parser=_parse_namespace,
        help="patchgate's own namespace, which holds those ConfigMaps.",
    ),
]
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)  # RFC 1123, a label

Manifests = Annotated[
    list[str] | None,
    typer.Option(
        "--filename",
        "-f",
        envvar="PATCHGATE_FILENAME",
        metavar="MANIFEST",
        help="A manifest, a directory of them, or - (repeatable).",
    ),
]
Namespace = Annotated[
    str,
    typer.Option("--namespace", "-n", envvar="PATCHGATE_NAMESPACE", help="Of images, and of workloads that name none."),
]

PullPolicyOption = Annotated[
    PullPolicy,
    typer.Option(
        "--pull-policy",
        envvar="PATCHGATE_PULL_POLICY",
        help="imagePullPolicy that an IMAGE would have; a manifest says its own.",
    ),
]

RecordConfigMaps = Annotated[
    int,
    typer.Option(
        "--record-configmaps",
        envvar="PATCHGATE_RECORD_CONFIGMAPS",
        min=0,
        max=1000,
        help="How many copa-patched-digests-N count beside the first: 600 records each; the patcher's setting too.",
    ),
]


def choose_source(directory: Path | None, *, kubernetes: bool, namespace: str) -> Directory | Cluster:
    """Choose what ConfigMaps come from.

    Raises:
        SetupError: none is named, or both are.
    """
    if directory and not kubernetes:
        return Directory(directory)
    if kubernetes and not directory:
        return Cluster(namespace)
    raise SetupError("give --source DIR or --kubernetes, exactly one of them")


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Format, typer.Option("--output", "-o", envvar="PATCHGATE_OUTPUT", help="For people, or for machines.")
]


_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parse_now(text: str) -> datetime:
    if _RFC_3339.fullmatch(text):
        with contextlib.suppress(ValueError, OverflowError):  # 2026-02-30, or outside the calendar in UTC
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    raise typer.BadParameter("write RFC 3339, such as 2026-05-09T12:00:00Z")


Now = Annotated[
    datetime | None,
    typer.Option(
        "--now",
        envvar="PATCHGATE_NOW",
        metavar="RFC3339",
        parser=_parse_now,
        help="Decide as of this time. [default: now]",
    ),
]


def load_snapshot(source: Directory | Cluster, names: Names, now: datetime) -> tuple[Snapshot, list[Problem]]:
    """Load the snapshot of a source's ConfigMaps of these names, and all that does not count in it.

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
