"""The control plane with Kyverno where Pods are created: one turn of a side after the other, each checked."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from loadtest.admission.creates import Caller, Creates
from loadtest.admission.plan import SIDES, Block, Side
from loadtest.admission.pods import write_images, write_pod
from loadtest.admission.results import Rounds
from loadtest.admission.sides import make_kyverno_values, place_kyverno
from loadtest.admission.webhook_calls import check_calls, read_calls
from loadtest.peers.programs import Programs
from tests.chart.helm import Helm
from tests.kyverno.controllers import run_kyverno
from tests.kyverno.distribution import render_distribution
from tests.plane.control_plane import Plane, run_plane
from tests.ports import choose_ports
from tools.cache import find_cache
from tools.modules import KYVERNO
from tools.sources import find_sources

_PATIENCE_SECONDS: Final = 30
_REST_SECONDS: Final = 0.1
_WARM_UP: Final = Block(16, 1, 1)


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


@contextlib.contextmanager
def run_site(folder: Path, programs: Programs, helm: Helm) -> Iterator[Site]:
    """Run the control plane with Kyverno in it, which kube-apiserver reaches as in a cluster: by its Service."""
    caller_files, token = (folder / "pod", folder / "images"), secrets.token_hex(16)
    write_pod(caller_files[0])
    write_images(caller_files[1])
    tokens, port = folder / "tokens.csv", choose_ports(1)[0]
    tokens.write_text(f'{token},load,load,"system:masters"\n', encoding="utf-8")
    flags = (f"--token-auth-file={tokens}", "--audit-log-path=")  # a line of audit a Pod would fill the disk
    distribution = render_distribution(find_sources(KYVERNO, find_cache()), helm, folder, make_kyverno_values())
    with run_plane(programs.kubernetes, programs.etcd, folder, *flags) as plane:
        by_service = ("--serverIP=", f"--servicePort={port}")
        with run_kyverno(plane, programs.kyverno, distribution, plane.credentials.ca, by_service, port=port):
            place_kyverno(plane, distribution)
            yield Site(plane, Caller(plane.server, token, *caller_files))
