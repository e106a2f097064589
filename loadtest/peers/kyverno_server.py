"""Kyverno's real admission controller as a server: one policy in force at a time, asked on its own port.

As its chart has it, but for FLAGS: nothing but admission, so that only the review is measured. It has the core of the
servers; etcd, kube-apiserver and kube-controller-manager, which it follows, are on wrk's.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loadtest.peers.kyverno_lists import NAMESPACE, make_lists
from loadtest.peers.kyverno_policy import Policy, is_ready, list_pod_paths
from loadtest.peers.programs import Programs
from loadtest.servers import Server, ServerError, choose_cores, connect, find_program
from loadtest.worlds import name_approved
from tests.chart.helm import Helm
from tests.kyverno.controllers import Kyverno, run_kyverno
from tests.kyverno.distribution import render_distribution
from tests.kyverno.policies import apply
from tests.plane.control_plane import Plane, run_plane, wait_until
from tests.plane.program import Program
from tools.cache import find_cache
from tools.modules import KYVERNO
from tools.sources import find_sources

FLAGS: Final = (
    "--admissionReports=false",
    "--omitEvents=PolicyViolation,PolicyApplied,PolicyError,PolicySkipped",
    "--disableMetrics=true",
    "--v=0",
)
"""No reports, no events, no metrics, no line in the log for a review."""
_REVIEWED: Final = "shop"
_WAIT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Site:
    """A control plane with Kyverno.

    Attributes:
        plane: its kubectl is in the namespace of the lists.
        kyverno: of which the admission controller runs.
    """

    plane: Plane
    kyverno: Kyverno

    @property
    def plane_cpu_seconds(self) -> float:
        """CPU time so far of etcd, kube-apiserver and kube-controller-manager."""
        return sum(Server("plane", pid, 0, "").cpu_seconds for pid in _list_pids(self.plane))

    @contextlib.contextmanager
    def enforce(self, policy: Policy, images: int, denied: bytes) -> Iterator[Server]:
        """Have a policy in force on a world's lists until the block ends.

        denied: a review that it denies, by which it is known to be in force.
        """
        objects = policy.read_objects()
        with apply(self.plane, tuple(make_lists(images, name_approved))), apply(self.plane, tuple(objects)):
            wait_until(lambda: self._is_ready(objects[-1]), f"{policy.name} is ready", _WAIT_SECONDS)
            server = Server(policy.name, _find_pid(self.kyverno.admission), self.kyverno.port, "gate", self._paths[0])
            wait_until(lambda: not is_admitted(server, denied), f"{policy.name} denies", _WAIT_SECONDS)
            yield server
        wait_until(lambda: not self._paths, f"{policy.name} is gone", _WAIT_SECONDS)

    @property
    def _paths(self) -> list[str]:
        return list_pod_paths(self.plane.kubectl.get("validatingwebhookconfigurations")["items"])

    def _is_ready(self, policy: Mapping[str, Any]) -> bool:
        return is_ready(self.plane.kubectl.get(policy["kind"], policy["metadata"]["name"])) and len(self._paths) == 1


@contextlib.contextmanager
def run_site(programs: Programs, folder: Path) -> Iterator[Site]:
    """Run a control plane and Kyverno until the block ends."""
    own, other = choose_cores()
    distribution = render_distribution(find_sources(KYVERNO, find_cache()), Helm(programs.helm / "helm"), folder)
    within = [find_program("taskset"), "-c", str(own), "env", "GOMAXPROCS=1"]
    with run_plane(programs.kubernetes, programs.etcd, folder) as plane:
        for pid in _list_pids(plane):
            _pin(pid, other)
        plane.make_namespace(NAMESPACE)
        plane.make_namespace(_REVIEWED)
        roots = plane.credentials.ca
        with run_kyverno(plane, programs.kyverno, distribution, roots, FLAGS, within) as kyverno:
            yield Site(replace(plane, kubectl=plane.kubectl.inside(NAMESPACE)), kyverno)


def is_admitted(server: Server, review: bytes) -> bool:
    """Ask a server whether it admits a review."""
    with contextlib.closing(connect(server.port)) as connection:
        connection.request("POST", server.path, review, {"Content-Type": "application/json"})
        return bool(json.loads(connection.getresponse().read())["response"]["allowed"])


def _list_pids(plane: Plane) -> Sequence[int]:
    return [_find_pid(program) for program in (plane.etcd, plane.api_server, plane.controller_manager)]


def _find_pid(program: Program) -> int:
    if program.process is None:
        raise ServerError(f"{program.name} is not running")
    return program.process.pid


def _pin(pid: int, core: int) -> None:
    """Keep a process, all its threads, on a core."""
    command = [find_program("taskset"), "--all-tasks", "--cpu-list", "--pid", str(core), str(pid)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
