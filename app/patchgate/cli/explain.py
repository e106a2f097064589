"""`patchgate explain`: why the gate would say of one image what it would, row by row, and where it stands written."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from patchgate.cli.options import (
    Context,
    ExitZero,
    Format,
    Kubeconfig,
    Kubernetes,
    Namespace,
    Now,
    Output,
    PullPolicyOption,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cli.output import print_json, print_line, print_problems, print_table
from patchgate.cli.snapshot import load_snapshot
from patchgate.cli.verdict_words import choose_style, say_verdict
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.case import Asker
from patchgate.policy.explain import Answer, Explanation, RowAnswer
from patchgate.policy.explain import explain as explain_image
from patchgate.policy.workload import ASSUMED_PULL_POLICY, Image
from patchgate.server.explanation import describe_explanation
from patchgate.sources.config_source import SYSTEM_NAMESPACE

_Image = Annotated[str, typer.Argument(metavar="IMAGE", help="The image to explain.", show_default=False)]


def explain(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    image: _Image,
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    namespace: Namespace = "default",
    pull_policy: PullPolicyOption = ASSUMED_PULL_POLICY,
    now: Now = None,
    output: Output = Format.TABLE,
    exit_zero: ExitZero = False,  # noqa: FBT002 -- a flag
) -> None:
    """Say why an image may run or not. Exits 0 if it may, 1 if it is denied, 2 if it could not be decided."""
    chosen = choose_source(
        source, kubernetes=kubernetes, namespace=system_namespace, access=Access(kubeconfig, context)
    )
    moment = now or datetime.now(UTC)
    snapshot, problems = load_snapshot(chosen, Names(record_configmaps=record_configmaps), moment)
    explanation = explain_image(Image(image, pull_policy), snapshot, Asker(namespace), moment)
    print_problems(problems)
    if output is Format.JSON:
        print_json(describe_explanation(explanation))
    else:
        _print_table(explanation)
    raise typer.Exit(0 if explanation.verdict.allowed or exit_zero else 1)


def _print_table(explanation: Explanation) -> None:
    verdict = explanation.verdict
    print_line(f"{say_verdict(verdict)}, {verdict.reason}: {verdict.message}")
    print_line("")
    asked = [row for row in explanation.rows if row.answer is not Answer.NOT_ASKED]
    styles = [choose_style(verdict) if row.answer is Answer.DECIDED else "dim" for row in asked]
    print_table(["ROW", "LOOKS FOR", "ANSWERS", "WHY"], map(_make_row, asked), styles)
    if explanation.origins:
        print_line("")
        origins = [[origin.kind, origin.configmap, origin.place] for origin in explanation.origins]
        print_table(["WHAT COUNTED", "CONFIGMAP", "WHERE"], origins, [""] * len(origins))


def _make_row(row: RowAnswer) -> list[str]:
    return [str(row.number), row.question, row.answer, row.why]
