"""`patchgate patch`: the patcher. Here, and nowhere else, its settings are named: flag, variable, default and why.

The patcher is imported where it is asked for: a hundred modules that the gate has no use for.
"""

# ruff: noqa: PLC0415 -- the reason is above

import os
from pathlib import Path
from typing import Annotated

import typer

from patchgate.cli.options import (
    Context,
    Format,
    Kubeconfig,
    Kubernetes,
    Output,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.errors import InvalidMirrorError, SetupError
from patchgate.limits import IMAGE_SECONDS, JOBS, RECORD_CONFIGMAPS, RUN_SECONDS
from patchgate.policy.mirror import Mirror, Mirrors, parse_mirror
from patchgate.sources.config_source import SYSTEM_NAMESPACE, Directory

_Images = Annotated[
    list[str] | None,
    typer.Argument(metavar="IMAGE...", help="Of the listed images, these alone. [default: all]", show_default=False),
]
_DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        envvar="PATCHGATE_DRY_RUN",
        help="Say what would be done, by lists, records, HEADs and the database's age; scan and write nothing.",
    ),
]
_Jobs = Annotated[
    int, typer.Option("--jobs", envvar="PATCHGATE_JOBS", min=1, max=64, help="Images worked on side by side.")
]
_ImageLimit = Annotated[
    float,
    typer.Option(
        "--image-limit-seconds",
        envvar="PATCHGATE_IMAGE_LIMIT_SECONDS",
        min=1,
        help="The time that one image may take, its builds and scans together; then it fails.",
    ),
]
_RunLimit = Annotated[
    float,
    typer.Option(
        "--run-limit-seconds",
        envvar="PATCHGATE_RUN_LIMIT_SECONDS",
        min=1,
        help="The time that all may take; what is left then comes first in the next run.",
    ),
]
_BuildKit = Annotated[
    str,
    typer.Option(
        "--buildkit",
        envvar="PATCHGATE_BUILDKIT",
        metavar="ADDRESS",
        help="unix:///PATH or tcp://HOST:PORT of BuildKit.",
    ),
]
_BuildKitCa = Annotated[
    Path | None,
    typer.Option(
        "--buildkit-cacert",
        envvar="PATCHGATE_BUILDKIT_CACERT",
        metavar="FILE",
        help="For mTLS with BuildKit: its CA, PEM.",
    ),
]
_BuildKitCertificate = Annotated[
    Path | None,
    typer.Option(
        "--buildkit-cert", envvar="PATCHGATE_BUILDKIT_CERT", metavar="FILE", help="Our certificate for BuildKit, PEM."
    ),
]
_BuildKitKey = Annotated[
    Path | None,
    typer.Option("--buildkit-key", envvar="PATCHGATE_BUILDKIT_KEY", metavar="FILE", help="The certificate's key, PEM."),
]
_Trivy = Annotated[
    str, typer.Option("--trivy", envvar="PATCHGATE_TRIVY", metavar="PROGRAM", help="Name or path of Trivy.")
]
_TrivyServer = Annotated[
    str,
    typer.Option(
        "--trivy-server",
        envvar="PATCHGATE_TRIVY_SERVER",
        metavar="URL",
        help="A Trivy server that has the database, instead of one here; TRIVY_TOKEN goes to it.",
    ),
]
_TrivyCache = Annotated[
    Path | None,
    typer.Option(
        "--trivy-cache", envvar="PATCHGATE_TRIVY_CACHE", metavar="DIR", help="Where Trivy keeps its databases."
    ),
]
_DbRepository = Annotated[
    str,
    typer.Option(
        "--db-repository",
        envvar="PATCHGATE_DB_REPOSITORY",
        metavar="REPOSITORY[,...]",
        help="Where Trivy's database is downloaded from, in this order, if not from Trivy's own places.",
    ),
]
_SkipDbUpdate = Annotated[
    bool,
    typer.Option(
        "--skip-db-update",
        envvar="PATCHGATE_SKIP_DB_UPDATE",
        help="Take the database as it is; who else keeps it younger than stale_after_hours?",
    ),
]
_Copa = Annotated[
    str, typer.Option("--copa", envvar="PATCHGATE_COPA", metavar="PROGRAM", help="Name or path of Copa, 0.14 or later.")
]
_VexDirectory = Annotated[
    Path | None,
    typer.Option(
        "--vex-directory",
        envvar="PATCHGATE_VEX_DIRECTORY",
        metavar="DIR",
        help="Keep Copa's OpenVEX statement of each patched image there.",
    ),
]
_DockerConfig = Annotated[
    Path | None,
    typer.Option(
        "--docker-config",
        envvar="PATCHGATE_DOCKER_CONFIG",
        metavar="DIR",
        help="Directory of the config.json with the registries' credentials. [default: DOCKER_CONFIG, ~/.docker]",
    ),
]
_PlainHttp = Annotated[
    list[str] | None,
    typer.Option(
        "--plain-http",
        envvar="PATCHGATE_PLAIN_HTTP",
        metavar="HOST[:PORT]",
        help="A registry without TLS (repeatable; in the variable, spaces between).",
    ),
]
_RegistryMirrors = Annotated[
    list[str] | None,
    typer.Option(
        "--registry-mirror",
        envvar="PATCHGATE_REGISTRY_MIRROR",
        metavar="REGISTRY[/PREFIX]=HOST[/PREFIX]",
        help="Pull the images of a registry from another place (repeatable; in the variable, spaces between).",
    ),
]
_MetricsFile = Annotated[
    Path | None,
    typer.Option(
        "--metrics-file",
        envvar="PATCHGATE_METRICS_FILE",
        metavar="FILE",
        help="Write what the run was like there, for the Prometheus node exporter (a name that ends in .prom).",
    ),
]
_TerminationLog = Annotated[
    Path,
    typer.Option(
        "--termination-log",
        envvar="PATCHGATE_TERMINATION_LOG",
        metavar="FILE",
        help="Where the run's end is said in a line, if the file is there (Kubernetes, terminationMessagePath).",
    ),
]


def patch(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    images: _Images = None,
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    dry_run: _DryRun = False,  # noqa: FBT002 -- a flag
    jobs: _Jobs = JOBS,
    image_limit_seconds: _ImageLimit = IMAGE_SECONDS,
    run_limit_seconds: _RunLimit = RUN_SECONDS,
    buildkit: _BuildKit = "unix:///run/buildkit/buildkitd.sock",
    buildkit_cacert: _BuildKitCa = None,
    buildkit_cert: _BuildKitCertificate = None,
    buildkit_key: _BuildKitKey = None,
    trivy: _Trivy = "trivy",
    trivy_server: _TrivyServer = "",
    trivy_cache: _TrivyCache = None,
    db_repository: _DbRepository = "",
    skip_db_update: _SkipDbUpdate = False,  # noqa: FBT002 -- a flag
    copa: _Copa = "copa",
    vex_directory: _VexDirectory = None,
    docker_config: _DockerConfig = None,
    plain_http: _PlainHttp = None,
    registry_mirror: _RegistryMirrors = None,
    metrics_file: _MetricsFile = None,
    termination_log: _TerminationLog = Path("/dev/termination-log"),
    output: Output = Format.TABLE,
) -> None:
    """Patch the listed images and record what is approved.

    Exits 0 if all went well, 1 if an image failed or was left, 2 if it could not start.
    """
    from patchgate.cli.patch_run import Wish, run_patch
    from patchgate.patcher.buildkit import BuildKitSettings
    from patchgate.patcher.copa import CopaSettings
    from patchgate.patcher.memory import choose_go_limit, read_memory_limit
    from patchgate.patcher.oci.hosts import Hosts
    from patchgate.patcher.settings import PatcherSettings
    from patchgate.patcher.shard import read_shard
    from patchgate.patcher.side_by_side import Pace
    from patchgate.patcher.trivy import TrivySettings

    chosen = choose_source(
        source, kubernetes=kubernetes, namespace=system_namespace, access=Access(kubeconfig, context)
    )
    settings = PatcherSettings(
        source=chosen.path if isinstance(chosen, Directory) else chosen,
        trivy=TrivySettings(
            trivy,
            trivy_cache,
            trivy_server,
            db_repository,
            skip_db_update,
            os.environ.get("GOMEMLIMIT") or choose_go_limit(read_memory_limit(), jobs),
        ),
        copa=CopaSettings(
            BuildKitSettings(buildkit, buildkit_cacert, buildkit_cert, buildkit_key), copa, vex_directory
        ),
        docker_config=docker_config,
        hosts=Hosts(
            frozenset(map(_fold_host, plain_http or [])), Mirrors.of(map(_parse_mirror, registry_mirror or []))
        ),
        names=Names(record_configmaps=record_configmaps),
        environment=dict(os.environ),
        shard=read_shard(os.environ),
    )
    pace = Pace(jobs, image_limit_seconds, run_limit_seconds)
    wish = Wish(tuple(images or ()), pace, dry_run, output, metrics_file, termination_log)
    raise typer.Exit(run_patch(settings, wish))


def _fold_host(host: str) -> str:
    """Give a host as normalised references have it."""
    return host.strip().lower().removesuffix(":443")


def _parse_mirror(text: str) -> Mirror:
    try:
        return parse_mirror(text)
    except InvalidMirrorError as error:
        raise SetupError(f"--registry-mirror {text}: {error}, such as docker.io=mirror.example.com/hub") from error
