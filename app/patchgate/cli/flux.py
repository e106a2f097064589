"""`patchgate flux`: what Flux needs so that Git, and then the cluster, follows the patcher; people commit it."""

import re
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from patchgate.cli.options import (
    Context,
    Kubeconfig,
    Kubernetes,
    Now,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cli.output import print_problems
from patchgate.cli.snapshot import load_snapshot
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.configmaps.documents import dump_document
from patchgate.flux.followed import Listed, list_followed
from patchgate.flux.objects import FluxSettings, make_marker, make_objects
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.overview import list_tracked_images
from patchgate.policy.part import Problem
from patchgate.sources.config_source import SYSTEM_NAMESPACE

_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)  # RFC 1123
_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+", re.ASCII)  # of Flux's own schemas
_HEAD: Final = """\
# Printed by `patchgate flux`: commit it where Flux applies it, and print it again when the image list changes.
# Behind each image in Git stands a marker, which is how Flux knows what to write there (docs/flux.md):
"""


def _parse_label(text: str) -> str:
    if _LABEL.fullmatch(text):
        return text
    raise typer.BadParameter("write the name of an object, such as flux-system")


def _parse_duration(text: str) -> str:
    if _DURATION.fullmatch(text):
        return text
    raise typer.BadParameter("write a duration as Go does, such as 10m or 1h30m")


_Namespace = Annotated[
    str,
    typer.Option(
        "--namespace",
        envvar="PATCHGATE_FLUX_NAMESPACE",
        metavar="NAMESPACE",
        parser=_parse_label,
        help="Of Flux's objects: where the GitRepository is.",
    ),
]
_Interval = Annotated[
    str,
    typer.Option(
        "--interval",
        envvar="PATCHGATE_FLUX_INTERVAL",
        metavar="DURATION",
        parser=_parse_duration,
        help="Between two looks at a registry, and at Git.",
    ),
]
_GitRepository = Annotated[
    str,
    typer.Option(
        "--git-repository",
        envvar="PATCHGATE_FLUX_GIT_REPOSITORY",
        metavar="NAME",
        parser=_parse_label,
        help="The GitRepository that is written to.",
    ),
]
_Branch = Annotated[
    str,
    typer.Option("--branch", envvar="PATCHGATE_FLUX_BRANCH", help="Of it. [default: the GitRepository's own]"),
]
_Path = Annotated[str, typer.Option("--path", envvar="PATCHGATE_FLUX_PATH", help="Directory of it that is written to.")]
_RegistrySecret = Annotated[
    str | None,
    typer.Option(
        "--registry-secret",
        envvar="PATCHGATE_FLUX_REGISTRY_SECRET",
        metavar="NAME",
        parser=_parse_label,
        help="A Secret of type kubernetes.io/dockerconfigjson in that namespace, to list tags with.",
    ),
]


def flux(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    namespace: _Namespace = "flux-system",
    interval: _Interval = "10m",
    git_repository: _GitRepository = "flux-system",
    branch: _Branch = "",
    path: _Path = "./",
    registry_secret: _RegistrySecret = None,
    now: Now = None,
) -> None:
    """Print Flux's image repositories, policies and automation for the listed images. Exits 0, or 2."""
    chosen = choose_source(
        source, kubernetes=kubernetes, namespace=system_namespace, access=Access(kubeconfig, context)
    )
    moment = now or datetime.now(UTC)
    snapshot, problems = load_snapshot(chosen, Names(record_configmaps=record_configmaps), moment)
    listed, unknown = list_followed(list_tracked_images(snapshot, moment), snapshot.policy.naming)
    reason = "the patcher has not expanded it yet; print this again when it has"
    print_problems(
        [*problems, *(Problem(each.configmap, f"line {each.line}, {each.image}", reason) for each in unknown)]
    )
    settings = FluxSettings(namespace, interval, git_repository, branch, path, registry_secret or "")
    objects = make_objects((each.followed for each in listed), settings)
    documents = "---\n".join(map(dump_document, objects))
    sys.stdout.write(f"{_HEAD}{''.join(_say_marker(each, namespace) for each in listed)}---\n{documents}")


def _say_marker(listed: Listed, namespace: str) -> str:
    return f"#   image: {listed.image} {make_marker(listed.followed, namespace)}\n"
