"""The chart installed on the node, with the images of this repository: what people see of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.chart.helm import Helm
from tests.chart.release import Release
from tests.node.node import Node
from tests.node.shop import API, API_PATCHED, shop_pod
from tests.node.workloads import RESTRICTED
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl

NAME: Final = "patchgate"
NAMESPACE: Final = "copa-system"
FAIL: Final[dict[str, Any]] = {"webhook": {"failurePolicy": "Fail"}}
GATES: Final = "app.kubernetes.io/component=gate"
"""Label of the gate's Pods."""
READY_SECONDS: Final = 120.0
"""What an install may take until the first Pod is refused, and any other change until it is in force."""


@dataclass(frozen=True)
class Installed(Release):
    """The release of the node."""

    def do(self, verb: str, values: Mapping[str, Any] | None = None, *more: str) -> str:
        """As a Release does it, but with BuildKit by its tag: the node's registry has one that was built here."""
        return super().do(verb, values, "--set", "buildkit.image.digest=", *more)

    def wait_for_gates(self) -> None:
        """Wait until all gates are ready and none is leaving."""
        seconds = int(READY_SECONDS)
        self.system.do("rollout", "status", f"deployment/{self.name}", f"--timeout={seconds}s")
        wait_until(lambda: len(self.list_gates()) == 2, "two gates, and none that leaves", READY_SECONDS)

    def list_gates(self) -> list[dict[str, Any]]:
        """List the gate's Pods."""
        return list(self.system.get("pods", "-l", GATES)["items"])

    def read_gate_logs(self) -> list[str]:
        """Read the lines that the gates have written."""
        return self.system.do("logs", "-l", GATES, "--tail=-1").out.splitlines()

    def wait_until_armed(self, shop: Kubectl) -> None:
        """Wait until an unpatched Pod is refused in a namespace."""
        wait_until(lambda: is_refused(shop), "an unpatched Pod is refused", READY_SECONDS)


def prepare_installed(
    node: Node, helm: Helm, namespace: str = NAMESPACE, labels: Mapping[str, str] = RESTRICTED
) -> Installed:
    """Prepare the release that docs/install.md speaks of, in a namespace which Pod Security restricts."""
    if not node.kubectl.ask("get", "namespace", namespace).is_admitted:
        node.make_namespace(namespace, labels)
    asked = Helm(helm.program, node.kubectl.kubeconfig, node.machine.enter_network())
    return Installed(asked, NAME, node.kubectl.inside(namespace))


def is_refused(shop: Kubectl) -> bool:
    """Whether an unpatched Pod is refused as it should be: with the image to use instead."""
    said = shop.create(shop_pod(API), "--dry-run=server")
    return not said.is_admitted and "denied the request" in said.errors and API_PATCHED in said.errors


def is_admitted(shop: Kubectl) -> bool:
    """Whether a patched Pod is admitted."""
    return shop.create(shop_pod(API_PATCHED), "--dry-run=server").is_admitted


def remove(release: Installed, *namespaces: str) -> None:
    """Remove all of a release, whatever state a test left it in, with what an uninstall leaves."""
    release.system.ask("delete", "validatingwebhookconfiguration", release.name, "--ignore-not-found")
    release.helm.ask("uninstall", release.name, "--namespace", release.system.namespace, "--ignore-not-found")
    release.system.ask("delete", "configmaps,secrets,jobs,pods", "--all", "--now")
    for name in namespaces:
        release.system.ask("delete", "namespace", name, "--ignore-not-found", "--wait=false")
