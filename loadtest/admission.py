"""`make load-admission`: what Pods cost that are created through a real kube-apiserver; writes ADMISSION.md.

etcd, kube-apiserver, wrk, the webhooks and Kyverno share the machine's cores; nothing is bound to one. Each side has a
namespace, whose Pods its webhook alone is asked about: kube-apiserver's own count of calls is checked after every turn.
"""

import argparse
import contextlib
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from loadtest.admission_plan import FULL, GATE, KYVERNO, MAIN, QUICK, SIDES, WRITTEN, Block, Plan, Side
from loadtest.admission_results import Rounds, compare_main, compare_with, write_rounds
from loadtest.admission_sides import (
    TIMEOUT_SECONDS,
    check_verdicts,
    enforce,
    list_own_policies,
    list_policies,
    make_kyverno_values,
    place_kyverno,
    run_webhooks,
)
from loadtest.creates import Caller, Creates
from loadtest.figure import Figure
from loadtest.load import get_wrk
from loadtest.machine import describe_machine
from loadtest.pods import IMAGES, write_images, write_pod
from loadtest.results import write_figures
from loadtest.servers import ServerError
from loadtest.webhook_calls import check_calls, read_calls
from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.conftest import Gate
from tests.kyverno.controllers import run_kyverno
from tests.kyverno.distribution import render_distribution
from tests.plane.control_plane import Plane, run_plane
from tests.ports import choose_ports
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, HELM, KUBERNETES
from tools.modules import KYVERNO as KYVERNO_MODULE
from tools.sources import find_sources

_RESULTS: Final = Path(__file__).parent / "ADMISSION.md"
_PATIENCE_SECONDS: Final = 30
_REST_SECONDS: Final = 0.1
_WARM_UP: Final = Block(16, 1, 1)
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


@dataclass(frozen=True, slots=True)
class Site:
    """What a turn needs."""

    plane: Plane
    caller: Caller

    def run(self, block: Block, sides: Sequence[str]) -> Rounds:
        """Have the sides take turns."""
        creates: dict[str, list[Creates]] = {side: [] for side in sides}
        calls = self._settle()
        for side in sides:
            _, calls = self.create(SIDES[side], _WARM_UP, calls)  # later on each is warm from its last turn
        for number in range(block.rounds):
            for side in sides[:: 1 if number % 2 else -1]:  # there and back: no side always comes after the same
                one, calls = self.create(SIDES[side], block, calls)
                creates[side].append(one)
                said = f"{side} {one.rate:,.0f}/s, p50 {one.p50:.1f} ms, p99 {one.p99:.1f} ms"
                print(f"  {block.clients} clients, round {number + 1}: {said}", flush=True)
        return Rounds(block, creates)

    def create(self, side: Side, block: Block, calls: Mapping[str, int]) -> tuple[Creates, dict[str, int]]:
        """Create Pods in a side's namespace, and see whom kube-apiserver asked. What is written is deleted.

        calls: of each webhook before. Gives those after it, too.

        Raises:
            ServerError: not every Pod was created, or others were asked.
        """
        try:
            done = self.caller.create(side.namespace, block.clients, block.seconds, is_dry=block.is_dry)
        finally:
            if not block.is_dry:
                self.plane.kubectl.do("delete", "--raw", f"/api/v1/namespaces/{side.namespace}/pods")
        after = self._settle()
        check_calls(side.webhook, done.count, block.clients, calls, after)
        return done, after

    def _settle(self) -> dict[str, int]:
        """Read the calls once there are no more: what wrk leaves behind must not be in the way of the next."""
        calls, deadline = self._read_calls(), time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_REST_SECONDS)
            last, calls = calls, self._read_calls()
            if calls == last:
                break
        return calls

    def _read_calls(self) -> dict[str, int]:
        address, trust = urlsplit(self.plane.server), self.plane.credentials.trust_as("admin")
        connection = HTTPSConnection(str(address.hostname), address.port, context=trust, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            return read_calls(connection.getresponse().read().decode())


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.admission", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds, to try it out; ADMISSION.md stays")
    plan = QUICK if parser.parse_args().quick else FULL
    get_wrk()
    found = [find_programs(module, find_cache()) for module in (KUBERNETES, ETCD, HELM, KYVERNO_MODULE)]
    programs = [each for each in found if each]
    if len(programs) < len(found):
        print("kube-apiserver, etcd, helm or Kyverno are not built here; make tools does", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that the programs end too
    try:
        with tempfile.TemporaryDirectory(prefix="patchgate-admission-") as folder:
            measured = _measure(Path(folder), programs, plan)
    except (ServerError, subprocess.SubprocessError) as error:
        print(f"make load-admission: {error}", file=sys.stderr)
        return 2
    text = _write(measured, "" if plan is FULL else _QUICK_NOTE)
    if plan is FULL:
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(figure.is_met for figure in measured.figures) else 1


def _measure(folder: Path, programs: Sequence[Path], plan: Plan) -> Measured:
    measured, helm = Measured(), Helm(programs[2] / "helm")
    with _run_site(folder, programs, helm) as site, run_webhooks(site.plane, Chart(helm), folder) as gate:
        _measure_main(site, plan, measured)
        _measure_asking(site, plan, measured, gate, Chart(helm))
    return measured


def _measure_main(site: Site, plan: Plan, measured: Measured) -> None:
    with enforce(site.plane, list_own_policies()):
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


@contextlib.contextmanager
def _run_site(folder: Path, programs: Sequence[Path], helm: Helm) -> Iterator[Site]:
    """Run the control plane with Kyverno in it, which kube-apiserver reaches as in a cluster: by its Service."""
    kubernetes, etcd, _, kyverno = programs
    caller_files, token = (folder / "pod", folder / "images"), secrets.token_hex(16)
    write_pod(caller_files[0])
    write_images(caller_files[1])
    tokens, port = folder / "tokens.csv", choose_ports(1)[0]
    tokens.write_text(f'{token},load,load,"system:masters"\n', encoding="utf-8")
    flags = (f"--token-auth-file={tokens}", "--audit-log-path=")  # a line of audit a Pod would fill the disk
    distribution = render_distribution(find_sources(KYVERNO_MODULE, find_cache()), helm, folder, make_kyverno_values())
    with run_plane(kubernetes, etcd, folder, *flags) as plane:
        by_service = ("--serverIP=", f"--servicePort={port}")
        with run_kyverno(plane, kyverno, distribution, plane.credentials.ca, by_service, port=port):
            place_kyverno(plane, distribution)
            yield Site(plane, Caller(plane.server, token, *caller_files))


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
