"""`patchgate discover`: what runs, each image with its verdict now, and what no list names yet. Changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from patchgate.cli.discover_output import describe_inventory, print_inventory, print_lines
from patchgate.cli.loaded_manifests import LoadedManifests
from patchgate.cli.manifests import read_manifests
from patchgate.cli.namespaces import NEVER_MATCHED
from patchgate.cli.options import (
    Context,
    Kubeconfig,
    Kubernetes,
    Manifests,
    Now,
    RecordConfigMaps,
    Source,
    SystemNamespace,
)
from patchgate.cli.output import print_json, print_problems
from patchgate.cli.snapshot import read_snapshot
from patchgate.cli.unjudged import describe_unjudged, print_unjudged
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.errors import InvalidManifestError, SetupError
from patchgate.gate.running import find_running
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.inventory import RunningImage, Use, take_inventory
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import list_images
from patchgate.server.objects import read_object
from patchgate.sources.config_source import SYSTEM_NAMESPACE, Cluster, Directory
from patchgate.sources.running import Found


class DiscoverFormat(StrEnum):
    """How the inventory is printed."""

    TABLE = "table"
    JSON = "json"
    LIST = "list"


_Output = Annotated[
    DiscoverFormat,
    typer.Option(
        "--output",
        "-o",
        envvar="PATCHGATE_OUTPUT",
        help="For people, for machines, or the lines alone that images.txt lacks.",
    ),
]
_Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        envvar="PATCHGATE_NAMESPACE",
        help="Look in this namespace alone, instead of all; of manifests: of workloads that name none.",
    ),
]


def discover(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    filename: Manifests = None,
    namespace: _Namespace = None,
    now: Now = None,
    output: _Output = DiscoverFormat.TABLE,
) -> None:
    """Show what runs in a cluster, or would by manifests, and what no list names. Exits 0, 2 if it cannot be told."""
    if not filename and not kubernetes:
        raise SetupError("discover: give --kubernetes for what runs there, or a manifest with -f")
    moment = now or datetime.now(UTC)
    access = Access(kubeconfig, context)
    chosen = _choose_lists(source, system_namespace, access) if source or kubernetes else None
    snapshot, problems = _read_lists(chosen, Names(record_configmaps=record_configmaps), moment)
    manifests = read_manifests(filename or [], namespace or "default")
    uses = _list_manifests(manifests) if filename else _list_cluster(namespace, access, problems)
    inventory = take_inventory(uses, snapshot, moment)
    print_problems(problems)
    print_unjudged(manifests)
    _print(inventory, output, manifests)
    raise typer.Exit(2 if manifests.faults else 0)


def _choose_lists(source: Path | None, system_namespace: str, access: Access) -> Directory | Cluster:
    return Directory(source) if source else Cluster(system_namespace, access)


def _read_lists(chosen: Directory | Cluster | None, names: Names, now: datetime) -> tuple[Snapshot, list[Problem]]:
    """Read what is listed; nothing, where patchgate is not there yet."""
    if chosen is None:
        return Snapshot.build(()), []
    snapshot, problems = read_snapshot(chosen, names, now)
    if not snapshot.is_complete:
        problems.append(Problem(names.image_list, "", "is not there: nothing is tracked yet"))
    return snapshot, problems


def _list_manifests(manifests: LoadedManifests) -> Iterator[Use]:
    for workload in manifests.workloads:
        yield from (Use(workload.name, workload.namespace, image) for image in list_images(workload.obj))


def _list_cluster(namespace: str | None, access: Access, problems: list[Problem]) -> Iterator[Use]:
    """List what runs; of an object that cannot be read a problem is told."""
    for found in find_running(namespace, access):
        if namespace or found.namespace not in NEVER_MATCHED:
            yield from _list_uses(found, problems)


def _list_uses(found: Found, problems: list[Problem]) -> Iterator[Use]:
    try:
        obj = read_object(found.value)
    except InvalidManifestError as error:
        problems.append(Problem(found.workload, "", f"is left out: {error}"))
        return
    yield from (Use(found.workload, found.namespace, image) for image in list_images(obj))


def _print(inventory: list[RunningImage], output: DiscoverFormat, manifests: LoadedManifests) -> None:
    match output:
        case DiscoverFormat.TABLE:
            print_inventory(inventory)
        case DiscoverFormat.JSON:
            print_json(describe_inventory(inventory) | describe_unjudged(manifests))
        case DiscoverFormat.LIST:
            print_lines(inventory)
