"""`patchgate report`: every listed image, where it stands, and how long it may still run unpatched."""

from datetime import UTC, datetime

import typer

from patchgate.cli.options import (
    Format,
    Kubernetes,
    Now,
    Output,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
    load_snapshot,
)
from patchgate.cli.output import print_json, print_problems, print_table
from patchgate.configmaps.configmap import Names
from patchgate.gate.settings import SYSTEM_NAMESPACE
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.overview import TrackedImage, list_tracked_images
from patchgate.policy.record import Approval
from patchgate.policy.verdict import say_duration
from patchgate.server.images import describe_image


def report(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    now: Now = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the listed images, their state and time left. Exits 0, 1 if an SLA is breached, 2 if it cannot be told."""
    chosen = choose_source(source, kubernetes=kubernetes, namespace=system_namespace)
    moment = now or datetime.now(UTC)
    snapshot, problems = load_snapshot(chosen, Names(record_configmaps=record_configmaps), moment)
    images = list(list_tracked_images(snapshot, moment))
    print_problems(problems)
    if output is Format.JSON:
        print_json({"images": [describe_image(image, moment) for image in images]})
    else:
        columns = ["IMAGE", "STATE", "TIME LEFT", "APPROVED", "MESSAGE"]
        print_table(columns, map(_make_row, images), ["red" if image.is_breached else "" for image in images])
    raise typer.Exit(1 if any(image.is_breached for image in images) else 0)


def _make_row(image: TrackedImage) -> list[str]:
    record, approval = image.record, image.approval
    return [
        image.image,
        record.state if record else "unscanned",
        _say_time_left(image),
        _say_approved(image.image, approval) if approval else "-",
        record.message if record else "the patcher has not looked at it yet",
    ]


def _say_approved(image: str, approval: Approval) -> str:
    """Name the approved tag, with its repository where that is another one."""
    return approval.tag if image.startswith(f"{approval.repository}:") else approval.tagged


def _say_time_left(image: TrackedImage) -> str:
    if image.is_stale:
        return "stale"
    if image.time_left is None:
        return "-"
    return f"breached {say_duration(-image.time_left)} ago" if image.is_breached else say_duration(image.time_left)
