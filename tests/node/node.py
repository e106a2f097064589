"""A whole Kubernetes node: its control plane, its kubelet, the Pods that run, the registry that they come from.

Everything runs in a machine of its own within this one. Knows nothing of patchgate. One at a time, as its cgroups have
one name, and its programs want half a gigabyte of memory.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.node.configuration import PAUSE
from tests.node.images import BUSYBOX, make_busybox
from tests.node.machine import Machine, run_machine
from tests.node.programs import NAME, SERVER, Built, Programs
from tests.patch.oci_layout import SETTINGS, write_layout
from tests.patch.registry import Registry, run_registry
from tests.plane.control_plane import Plane, wait_until
from tests.plane.credentials import Credentials
from tests.plane.kubectl import Kubectl
from tests.plane.program import SHOWN_LOG_BYTES, Program
from tools.cache import lock

_CGROUPS: Final = "patchgate-node"
_LOCK: Final = Path("/run/patchgate-node")
_STATE: Final = ("containerd", "etcd", "kubelet", "registry/content")  # hundreds of megabytes, of use to nobody
_PROXY: Final = ("clusterrolebinding", "kube-proxy", "--clusterrole=system:node-proxier", "--user=system:kube-proxy")


@dataclass(frozen=True)
class Node(Plane):
    """A control plane with a node that runs its Pods.

    Attributes:
        machine: what it runs in.
        registry: what it pulls images from, where we push them: the same images behind addresses.REGISTRY on the node.
        programs: all of them, in the order in which they were started.
    """

    machine: Machine
    registry: Registry
    programs: tuple[Program, ...]

    def find_ended(self) -> list[str]:
        """Give the last words of each program that is not running: none is started again by itself."""
        ended = (program for program in self.programs if program.process is None or program.process.poll() is not None)
        return [f"{program.name} ended\n{program.tail()}" for program in ended]

    def read_container_logs(self) -> dict[str, str]:
        """Read how the log of each container ends that the node still has: NAMESPACE_POD_UID/CONTAINER/RESTART.log."""
        logs = self.machine.root / "var/log/pods"
        files = sorted(logs.rglob("*.log"), key=lambda file: file.stat().st_mtime)
        return {
            str(file.relative_to(logs)): file.read_bytes()[-SHOWN_LOG_BYTES:].decode(errors="replace") for file in files
        }

    def read_warnings(self) -> str:
        """Read the Events of all namespaces that tell of something wrong."""
        return self.kubectl.ask("get", "events", "--all-namespaces", "--field-selector=type=Warning").out


@contextlib.contextmanager
def run_node(built: Built, folder: Path) -> Iterator[Node]:
    """Run a node until the block ends; it is ready for Pods. folder: for its files; certificates and logs stay."""
    with lock(_LOCK), contextlib.ExitStack() as stack:
        stack.callback(_remove_state, folder)
        (folder / "registry").mkdir()
        yield _start(stack, stack.enter_context(run_machine(folder, _CGROUPS)), built, folder)


def _start(stack: contextlib.ExitStack, machine: Machine, built: Built, folder: Path) -> Node:
    credentials, started = Credentials.make(folder), list[Program]()

    def start(program: Program) -> Program:
        started.append(stack.enter_context(program.running()))
        return program

    kubectl = Kubectl(credentials.write_kubeconfig(SERVER, "admin", "system:masters"), within=machine.enter_network())
    programs = Programs(built, machine, credentials, kubectl)
    registry = stack.enter_context(run_registry(folder / "registry"))
    start(programs.make_registry(folder / "registry" / "content"))
    start(programs.make_containerd())
    etcd, api_server = start(programs.make_etcd()), start(programs.make_api_server())
    kubectl.do("create", *_PROXY)
    controller_manager = start(programs.make_controller_manager())
    _push_images(registry, folder)
    # kube-proxy waits for the object that kubelet makes.
    for make in (programs.make_scheduler, programs.make_dns, programs.make_kubelet, programs.make_proxy):
        start(make())
    wait_until(lambda: _is_ready(kubectl), f"node {NAME} is ready")
    return Node(
        SERVER, kubectl, credentials, folder, etcd, api_server, controller_manager, machine, registry, tuple(started)
    )  # fmt: skip


def _push_images(registry: Registry, folder: Path) -> None:
    busybox = make_busybox(folder / "busybox")
    for image, command in {PAUSE: ["/bin/sleep", "infinity"], BUSYBOX: ["/bin/sh"]}.items():
        repository, tag = image.split(":")
        layout = write_layout(folder / "layouts" / repository, busybox, settings={**SETTINGS, "Cmd": command})
        registry.push(layout, repository, tag)


def _is_ready(kubectl: Kubectl) -> bool:
    said = kubectl.ask("get", "node", NAME, "-o", "json")
    conditions = said.json["status"].get("conditions", ()) if said.is_admitted else ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _remove_state(folder: Path) -> None:
    for name in _STATE:
        shutil.rmtree(folder / name, ignore_errors=True)
