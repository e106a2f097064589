"""Options that several commands take, each with its environment variable, and what they are read into."""

import contextlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from patchgate.cluster.access import Access
from patchgate.errors import SetupError
from patchgate.policy.workload import PullPolicy
from patchgate.sources.config_source import Cluster, Directory

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
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        envvar="PATCHGATE_KUBECONFIG",
        metavar="FILE",
        help="Which kubeconfig to use for that cluster. [default: KUBECONFIG]",
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context",
        envvar="PATCHGATE_CONTEXT",
        metavar="NAME",
        help="Which context of the kubeconfig to use. [default: its current one]",
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


def choose_source(
    directory: Path | None, *, kubernetes: bool, namespace: str, access: Access | None = None
) -> Directory | Cluster:
    """Choose what ConfigMaps come from.

    Raises:
        SetupError: none is named, or both are.
    """
    if directory and not kubernetes:
        return Directory(directory)
    if kubernetes and not directory:
        return Cluster(namespace, access or Access())
    raise SetupError("give --source DIR or --kubernetes, exactly one of them")


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Format, typer.Option("--output", "-o", envvar="PATCHGATE_OUTPUT", help="For people, or for machines.")
]

ExitZero = Annotated[
    bool,
    typer.Option(
        "--exit-zero",
        envvar="PATCHGATE_EXIT_ZERO",
        help="Exit 0 where the answer is no (1), for a step that only reports. What cannot be answered still exits 2.",
    ),
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
