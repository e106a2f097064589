"""What a review costs: the gate beside Kyverno's admission controller and a controller-runtime webhook, asked directly.

A block has one world and one policy of Kyverno's; rounds in turn within it: gate, Kyverno, controller-runtime, gate
again (A/A). Every server has the same reviews. An answer in the sample that is not as expected ends the measurement.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loadtest.figure import Figure, summarize
from loadtest.ground import Ground
from loadtest.load import Run
from loadtest.peers.kyverno_policy import POLICIES, Policy
from loadtest.peers.kyverno_server import Site
from loadtest.plan import Plan
from loadtest.reviews import SIZES, read_denied
from loadtest.servers import Server
from loadtest.speed import CONTROLLER_RUNTIME_BAR
from loadtest.turns import Row, Turn, divide_cpu, run_turns, summarize_runs

WORLDS: Final = (100, 1_000)
"""Images: a list that people keep by hand, and one that is still far below what a ConfigMap holds."""
SIZE: Final = SIZES[0]
_AGAIN: Final = "gate again (A/A)"
_KYVERNO: Final = "Kyverno"
_WEBHOOK: Final = "controller-runtime"


@dataclass(slots=True)
class Measured:
    """Everything measured."""

    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def measure_direct(site: Site, folder: Path, plan: Plan) -> Measured:
    """Measure every policy in every world."""
    measured = Measured()
    for images in WORLDS:
        with run_ours(folder / str(images), images) as (ground, gate, webhook):
            for policy in POLICIES:
                with site.enforce(policy, images, read_denied(ground.load(SIZE).bodies)) as kyverno:
                    _measure_block(measured, site, ground, policy, [gate, kyverno, webhook], plan)
    return measured


@contextlib.contextmanager
def run_ours(folder: Path, images: int) -> Iterator[tuple[Ground, Server, Server]]:
    """Run the gate and the controller-runtime webhook on a world of so many images."""
    folder.mkdir()
    ground = Ground(folder)
    ground.prepare(images)
    with ground.run_gate() as gate, ground.run_controller_runtime() as webhook:
        yield ground, gate, webhook


def _measure_block(  # noqa: PLR0913, PLR0917 -- what a block is made of
    measured: Measured, site: Site, ground: Ground, policy: Policy, servers: list[Server], plan: Plan
) -> None:
    gate, kyverno, webhook = servers
    what = f"{int(ground.directory.name):,} images, {policy.name}"
    sides = {"gate": gate, _KYVERNO: kyverno, _WEBHOOK: webhook, _AGAIN: gate}
    turns = {name: Turn(server, ground.load(SIZE)) for name, server in sides.items()}
    start, before = time.monotonic(), site.plane_cpu_seconds
    runs = run_turns(what, turns, plan.rounds, plan.seconds)
    share = 100 * (site.plane_cpu_seconds - before) / (time.monotonic() - start)
    measured.rows += [summarize_runs(what, name, rounds) for name, rounds in runs.items()]
    measured.figures += _divide(what, policy, runs)
    measured.figures.append(summarize(f"{what}: control plane meanwhile", [share], "%", "of a core, wrk's"))


def _divide(what: str, policy: Policy, runs: dict[str, list[Run]]) -> Iterator[Figure]:
    gate = runs["gate"]
    noise = divide_cpu(f"{what}: gate again ÷ gate (A/A: the noise)", runs[_AGAIN], gate)
    yield noise
    yield divide_cpu(f"{what}: {_KYVERNO} ÷ gate", runs[_KYVERNO], gate, bar=policy.bar, noise=noise)
    yield divide_cpu(f"{what}: {_WEBHOOK} ÷ gate", runs[_WEBHOOK], gate, bar=CONTROLLER_RUNTIME_BAR, noise=noise)
