"""`make load-peers`: a review's CPU beside the real Kyverno's; writes PEERS.md, exits 1 where a bar is missed.

2 where it could not be measured, or the programs are not built.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Figure
from loadtest.load import get_wrk
from loadtest.machine import describe_machine, describe_programs
from loadtest.peers.build import build_controller_runtime
from loadtest.peers.direct import Measured, measure_direct
from loadtest.peers.kyverno_server import FLAGS, run_site
from loadtest.peers.programs import find_all_programs
from loadtest.plan import FULL, QUICK, Plan
from loadtest.results import write_figures, write_rows
from loadtest.verb import measure_in_folder, read_quick
from tools.modules import KYVERNO

_RESULTS: Final = Path(__file__).parents[1] / "PEERS.md"
_HEAD: Final = """# Beside Kyverno

By `make load-peers` on {date}: {machine}. {programs}; Kyverno {version}.
The same AdmissionReviews, POSTed to each server's own port over TLS on connections kept alive: 5 KB, one container,
every uid new; half of the images out of 20 hot ones, a quarter out of the rest of the world, a quarter not tracked;
three in eight are denied. An answer in the sample, one of 31, that is not as expected ends the measurement.

- A server has one core (`GOMAXPROCS=1` for those in Go), wrk the other. CPU is user and system time of the server's
  process alone. etcd, kube-apiserver and kube-controller-manager, which Kyverno follows, are on wrk's core; what they
  took is in the table.
- Kyverno's admission controller is as its chart has it, but for what is not admission: `{flags}`.
- Its policies (`loadtest/peers/kyverno`) are the fastest that we could write on lists in ConfigMaps: a ClusterPolicy,
  which reads ConfigMaps labelled `cache.kyverno.io/enabled: "true"` from its cache, and a ValidatingPolicy, for which a
  GlobalContextEntry makes a map of each list. They compare names as they stand, know no deadline, no digest and no
  other spelling, and name no image to use instead. One is in force at a time, asked on the path that its
  ValidatingWebhookConfiguration says.
- The gate stands on the same images, with its own records of them; the controller-runtime webhook on a map of the 20.

The rounds of a block take turns, so that a noisy machine hits all. A value is the median of the rounds (of ratios: that
of the medians), beside their range. A ratio within the range of the A/A row above it is no difference.
"""


def main() -> int:
    """Measure, write the results, and give the exit code."""
    plan = QUICK if read_quick("loadtest.peers", __doc__, _RESULTS.name) else FULL
    return measure_in_folder("load-peers", lambda folder: _measure(folder, plan))


def _measure(folder: Path, plan: Plan) -> list[Figure]:
    get_wrk()
    build_controller_runtime()
    with run_site(find_all_programs(), folder) as site:
        measured = measure_direct(site, folder, plan)
    text = _write(measured)
    if plan is FULL:
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return measured.figures


def _write(measured: Measured) -> str:
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=describe_machine(),
        programs=describe_programs(),
        version=KYVERNO.version.removeprefix("v"),
        flags=" ".join(FLAGS),
    )
    return head + write_rows(measured.rows, "world") + write_figures(measured.figures)


if __name__ == "__main__":
    sys.exit(main())
