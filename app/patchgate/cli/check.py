"""`patchgate check`: what the gate would say of images and manifests, decided here from the same ConfigMaps."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from patchgate.cli.loaded_manifests import LoadedManifests, PassedOver
from patchgate.cli.namespaces import NamespaceRules, make_rules
from patchgate.cli.options import (
    Context,
    ExitZero,
    Format,
    Kubeconfig,
    Kubernetes,
    Manifests,
    Namespace,
    Now,
    Output,
    PullPolicyOption,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cli.output import print_json, print_problems, print_table
from patchgate.cli.snapshot import load_snapshot
from patchgate.cli.unjudged import describe_unjudged, print_unjudged
from patchgate.cli.verdict_words import choose_style, say_verdict
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.errors import SetupError
from patchgate.limits import RECORD_CONFIGMAPS
from patchgate.policy.decision import Decision, Mode, conclude
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason, Verdict
from patchgate.policy.workload import ASSUMED_PULL_POLICY, Operation, PullPolicy
from patchgate.server.decision_json import describe_decision, describe_verdict
from patchgate.server.judge import Judge, Question
from patchgate.sources.config_source import SYSTEM_NAMESPACE

_Excluded = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude-namespace",
        envvar="PATCHGATE_EXCLUDE_NAMESPACE",
        metavar="NAMESPACE",
        help="Namespace that your webhooks never match (repeatable): webhook.excludedNamespaces of the chart. "
        "kube-system, kube-public, kube-node-lease and the system namespace never are.",
    ),
]
_Images = Annotated[list[str] | None, typer.Argument(metavar="IMAGE...", help="Images to decide.", show_default=False)]


def check(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    images: _Images = None,
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    filename: Manifests = None,
    namespace: Namespace = "default",
    pull_policy: PullPolicyOption = ASSUMED_PULL_POLICY,
    exclude_namespace: _Excluded = None,
    now: Now = None,
    output: Output = Format.TABLE,
    exit_zero: ExitZero = False,  # noqa: FBT002 -- a flag
) -> None:
    """Say whether images may run. Exits 0 if all may, 1 if one is denied, 2 if it could not be decided."""
    if not images and not filename:
        raise SetupError("check: name an IMAGE, or a manifest with -f")
    chosen = choose_source(
        source, kubernetes=kubernetes, namespace=system_namespace, access=Access(kubeconfig, context)
    )
    moment = now or datetime.now(UTC)
    snapshot, problems = load_snapshot(chosen, Names(record_configmaps=record_configmaps), moment)
    manifests = _load(filename, namespace) if filename else LoadedManifests()
    rules = make_rules(system_namespace, exclude_namespace or (), manifests.mode_labels)
    verdicts = list(_decide(images or [], pull_policy, manifests, namespace, rules, snapshot, moment))
    decision = conclude([verdict for _, verdict in verdicts])
    print_problems(problems)
    print_unjudged(manifests)
    if output is Format.JSON:
        _print_json(decision, verdicts, manifests if filename else None)
    elif verdicts or not manifests.faults:
        _print_table(decision, verdicts)
    raise typer.Exit(2 if manifests.faults else 0 if decision.allowed or exit_zero else 1)


def _load(paths: list[str], namespace: str) -> LoadedManifests:
    from patchgate.cli.manifests import read_manifests  # noqa: PLC0415 -- an image alone needs none of it

    return read_manifests(paths, namespace)


def _decide(  # noqa: PLR0913, PLR0917 -- each is a part of the question
    images: list[str],
    pull_policy: PullPolicy,
    manifests: LoadedManifests,
    namespace: str,
    rules: NamespaceRules,
    snapshot: Snapshot,
    now: datetime,
) -> Iterator[tuple[str, Verdict]]:
    """Decide each image, next to the workload that asks for it (empty for an image of the command line).

    Of what a controller made only that which its maker does not have: a Pod's own images after an injection.
    """
    judge = Judge(current=lambda: snapshot, clock=lambda: now)
    yield from (("", verdict) for verdict in judge.judge_images(images, namespace, snapshot, pull_policy).verdicts)
    seen: set[tuple[str, str]] = set()
    for workload in manifests.workloads:
        if reason := rules.find_reason_unasked(workload.namespace):
            manifests.passed_over.append(PassedOver(workload.name, 1, reason))
            continue
        question = Question(Operation.CREATE, workload.obj, namespace=workload.namespace)
        for verdict in judge.judge(question, Mode.ENFORCE, snapshot).verdicts:
            if not workload.is_made or (workload.name, verdict.image) not in seen:
                yield workload.name, rules.apply(verdict, workload.namespace)
            seen.add((workload.name, verdict.image))


def _print_json(decision: Decision, verdicts: list[tuple[str, Verdict]], manifests: LoadedManifests | None) -> None:
    """Print the decision as `/v1/decisions` answers it; of manifests also what was not judged. A fault denies."""
    items = [describe_verdict(verdict) | ({"workload": name} if name else {}) for name, verdict in verdicts]
    answer = describe_decision(decision) | {"images": items}
    if manifests and manifests.faults and decision.allowed:
        message = f"{len(manifests.faults)} of the manifests could not be judged: {manifests.faults[0]}"
        answer |= {"allowed": False, "reason": Reason.INVALID_OBJECT, "message": message}
    print_json(answer | (describe_unjudged(manifests) if manifests else {}))


def _print_table(decision: Decision, verdicts: list[tuple[str, Verdict]]) -> None:
    if not verdicts:
        print(decision.message)  # noqa: T201
        return
    has_workloads = any(name for name, _ in verdicts)
    columns = ["WORKLOAD"] * has_workloads + ["VERDICT", "REASON", "IMAGE AND WHAT TO DO"]
    rows = [
        [name] * has_workloads + [say_verdict(verdict), verdict.reason, verdict.message] for name, verdict in verdicts
    ]
    print_table(columns, rows, [choose_style(verdict) for _, verdict in verdicts])
