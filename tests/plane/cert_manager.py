"""cert-manager on a plane: CRDs and rights as its own chart has them; controller and cainjector outside of the cluster.

Its webhook is not run: all that it does is refuse.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml

from tests.chart.helm import Helm
from tests.plane.accounts import write_account_kubeconfig
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.program import Program
from tools.modules import KUBERNETES

NAMESPACE = "cert-manager"
ACCOUNTS = {"controller": "cert-manager", "cainjector": "cert-manager-cainjector"}
"""Each program's ServiceAccount."""
CRD = "CustomResourceDefinition"
KINDS = (CRD, "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
SECONDS = 60.0


@contextlib.contextmanager
def run_cert_manager(plane: Plane, helm: Helm, built: Path) -> Iterator[None]:
    """Run it until the block ends. built: the folder with its program and its chart."""
    system = plane.make_namespace(NAMESPACE)
    values = {"crds": {"enabled": True}, "global": {"leaderElection": {"namespace": NAMESPACE}}}
    flags = ("--namespace", NAMESPACE, f"--kube-version={KUBERNETES.version}")
    rendered = helm.do("template", "cert-manager", str(built / "chart"), *flags, values=values)
    objects = [each for each in yaml.safe_load_all(rendered) if each and each["kind"] in KINDS]
    system.do("apply", "--server-side", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": objects})
    definitions = [f"crd/{each['metadata']['name']}" for each in objects if each["kind"] == CRD]
    system.do("wait", "--for=condition=Established", *definitions)
    with contextlib.ExitStack() as stack:
        for program, account in ACCOUNTS.items():
            kubeconfig = write_account_kubeconfig(system, account, plane.folder)
            command = [str(built / "cert-manager"), program, str(kubeconfig)]
            log = plane.folder / f"cert-manager-{program}.log"
            stack.enter_context(Program(command, log, lambda: True).running())  # it shows by what it does
        yield


def renew(system: Kubectl, certificate: str) -> None:
    """Have a Certificate issued anew, as `cmctl renew` does, and wait until it is."""
    before = _read_revision(system, certificate)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "lastTransitionTime": now}
    change = [{"op": "add", "path": "/status/conditions/-", "value": condition}]
    assert system.patch(f"certificate/{certificate}", change, "--subresource=status", kind="json").is_admitted
    wait_until(lambda: _read_revision(system, certificate) > before, f"Certificate {certificate} renewed", SECONDS)


def _read_revision(system: Kubectl, certificate: str) -> int:
    """Read how often it was issued."""
    return int(system.get("certificate", certificate).get("status", {}).get("revision", 0))
