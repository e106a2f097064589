"""`patchgate report`: every listed image, where it stands, and how long it may still run unpatched."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from patchgate.cli.options import (
    Context,
    ExitZero,
    Kubeconfig,
    Kubernetes,
    Now,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cli.output import print_json, print_problems
from patchgate.cli.report_table import print_images
from patchgate.cli.report_urgency import sort_by_urgency, summarize
from patchgate.cli.snapshot import load_snapshot
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.overview import TrackedImage, list_bad_lines, list_tracked_images
from patchgate.policy.part import BadLine
from patchgate.server.images import describe_report
from patchgate.sources.config_source import SYSTEM_NAMESPACE


class ReportFormat(StrEnum):
    """How the report is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


_DURATION: Final = re.compile(r"(\d{1,4})(min|h|d)", re.ASCII)
_UNITS: Final = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _parse_duration(text: str) -> timedelta:
    if match := _DURATION.fullmatch(text):
        return int(match[1]) * _UNITS[match[2]]
    raise typer.BadParameter("write a number and min, h or d, such as 6h")


_Output = Annotated[
    ReportFormat,
    typer.Option(
        "--output",
        "-o",
        envvar="PATCHGATE_OUTPUT",
        help="For people (table), a page (markdown), machines (json) or code scanning (sarif 2.1.0).",
    ),
]
_Due = Annotated[
    timedelta | None,
    typer.Option(
        "--due",
        envvar="PATCHGATE_DUE",
        metavar="DURATION",
        parser=_parse_duration,
        help="Only the images whose SLA is breached or will be within so long, such as 6h. [default: all]",
    ),
]


def report(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    due: _Due = None,
    now: Now = None,
    output: _Output = ReportFormat.TABLE,
    exit_zero: ExitZero = False,  # noqa: FBT002 -- a flag
) -> None:
    """Show the listed images, the most urgent first, and the bad lines.

    Exits 0, 1 if an SLA is breached or a line is bad, 2 if it cannot be told.
    """
    chosen = choose_source(
        source, kubernetes=kubernetes, namespace=system_namespace, access=Access(kubeconfig, context)
    )
    moment = now or datetime.now(UTC)
    snapshot, problems = load_snapshot(chosen, Names(record_configmaps=record_configmaps), moment)
    tracked = list_tracked_images(snapshot, moment)
    images = sort_by_urgency(image for image in tracked if due is None or _is_due(image, due))
    bad_lines = list(list_bad_lines(snapshot))
    print_problems(problems)
    _print(images, bad_lines, moment, output)
    is_late = bool(bad_lines) or any(image.is_breached for image in images)
    raise typer.Exit(1 if is_late and not exit_zero else 0)


def _is_due(image: TrackedImage, within: timedelta) -> bool:
    return image.time_left is not None and image.time_left <= within


def _print(images: Sequence[TrackedImage], bad_lines: Sequence[BadLine], now: datetime, output: ReportFormat) -> None:
    match output:
        case ReportFormat.TABLE:
            print_images(images, bad_lines)
        case ReportFormat.JSON:
            print_json({"summary": summarize(images, bad_lines)} | describe_report(images, bad_lines, now))
        case ReportFormat.MARKDOWN:
            from patchgate.cli.report_markdown import print_markdown  # noqa: PLC0415 -- few ask for it

            print_markdown(images, bad_lines, now)
        case ReportFormat.SARIF:
            from patchgate.cli.report_sarif import describe_as_sarif  # noqa: PLC0415 -- few ask for it

            print_json(describe_as_sarif(images, bad_lines))
