"""`make load-admission`: what Pods cost that are created through a real kube-apiserver; writes ADMISSION.md.

etcd, kube-apiserver, wrk, the webhooks and Kyverno share the machine's cores; nothing is bound to one. Each side has a
namespace, whose Pods its webhook alone is asked about: kube-apiserver's own count of calls is checked after every turn.
"""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.admission.plan import FULL, GATE, KYVERNO, MAIN, QUICK, WRITTEN, Plan
from loadtest.admission.pods import IMAGES
from loadtest.admission.results import Rounds, compare_main, compare_with, write_rounds
from loadtest.admission.sides import (
    TIMEOUT_SECONDS,
    check_verdicts,
    enforce,
    list_policies,
    run_webhooks,
)
from loadtest.admission.site import Site, run_site
from loadtest.figure import Figure
from loadtest.load import get_wrk
from loadtest.machine import describe_machine
from loadtest.peers.kyverno_policy import CLUSTER_POLICY
from loadtest.peers.programs import find_all_programs
from loadtest.results import write_figures
from loadtest.verb import measure_in_folder, read_quick
from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.conftest import Gate
from tools.modules import KUBERNETES
from tools.modules import KYVERNO as KYVERNO_MODULE

_RESULTS: Final = Path(__file__).parents[1] / "ADMISSION.md"
_HEAD: Final = """# Pods created through kube-apiserver

By `make load-admission` on {date}: {machine}, kube-apiserver {kubernetes}, Kyverno {kyverno}.
wrk creates Pods, each client the next one as soon as it is answered: half with an image that is approved, half with one
that nobody tracks and that was never asked about before. etcd, kube-apiserver, wrk and the webhooks share the cores.
They are dry runs: all of admission, but no write to etcd, which is the same for every side and would hide what differs;
`written` are real ones. A webhook is configured as by the chart, but that it must answer, within {timeout} s.

Every Pod is answered 201, and kube-apiserver counts that it asked the side's webhook about each, and no other.
Before and after the rounds an unpatched image is refused by the gate and by Kyverno's policy, and let in elsewhere.
The world has {images} images. Kyverno alone has a ClusterPolicy on its list and approvals in labelled ConfigMaps
(`loadtest/peers/kyverno/cluster-policy.yaml`); where it asks the gate, the policies are the chart's. One of them is in
force at a time. Kyverno reports nothing. Static bytes are uvicorn with the gate's settings and no thought.

The sides take turns. A value is the median of the rounds, beside their range; of ratios, that of the medians.
A ratio within the range of its A/A row, which divides a thing by itself, is no difference: the bar of the gate beside
static bytes is that range's upper end.
"""

_QUICK_NOTE: Final = "\nA short run, to try it out: its figures are no results.\n"


@dataclass(slots=True)
class Measured:
    """What was measured: rounds for the table, ratios."""

    rounds: list[Rounds] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    plan = QUICK if read_quick("loadtest.admission", __doc__, _RESULTS.name) else FULL
    return measure_in_folder("load-admission", lambda folder: _measure(folder, plan))


def _measure(folder: Path, plan: Plan) -> list[Figure]:
    get_wrk()
    programs = find_all_programs()
    measured, helm = Measured(), Helm(programs.helm / "helm")
    with run_site(folder, programs, helm) as site, run_webhooks(site.plane, Chart(helm), folder) as gate:
        _measure_main(site, plan, measured)
        _measure_asking(site, plan, measured, gate, Chart(helm))
    text = _write(measured, "" if plan is FULL else _QUICK_NOTE)
    if plan is FULL:
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return measured.figures


def _measure_main(site: Site, plan: Plan, measured: Measured) -> None:
    with enforce(site.plane, CLUSTER_POLICY.read_objects()):
        check_verdicts(site.plane)
        for block in plan.main:
            measured.rounds.append(site.run(block, MAIN))
            measured.figures += compare_main(measured.rounds[-1])
        for block in plan.written:
            measured.rounds.append(site.run(block, WRITTEN))
            measured.figures += compare_with(WRITTEN[0], measured.rounds[-1])


def _measure_asking(site: Site, plan: Plan, measured: Measured, gate: Gate, chart: Chart) -> None:
    for name, policies in list_policies(gate, chart).items():
        with enforce(site.plane, policies):
            for block in plan.asking:
                rounds = site.run(block, (GATE, KYVERNO))
                asking = {name: rounds.sides[KYVERNO]}
                measured.rounds.append(Rounds(block, asking))
                measured.figures += compare_with(GATE, Rounds(block, {GATE: rounds.sides[GATE], **asking}))


def _write(measured: Measured, note: str) -> str:
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=describe_machine(),
        kubernetes=KUBERNETES.version,
        kyverno=KYVERNO_MODULE.version,
        timeout=TIMEOUT_SECONDS,
        images=IMAGES,
    )
    return head + note + write_rounds(measured.rounds) + write_figures(measured.figures)


if __name__ == "__main__":
    sys.exit(main())
