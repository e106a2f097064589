"""docs/kyverno.md: every command of it, from top to bottom, in a cluster with our chart and Kyverno."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import Helm
from tests.chart.release import DATA
from tests.kyverno.controllers import Kyverno
from tests.kyverno.distribution import NAMESPACE, copy_chart
from tests.plane.control_plane import Plane
from tests.plane.kubectl import PROGRAM, Kubectl
from tests.plane.webhooks import SYSTEM
from tools.cache import find_cache
from tools.modules import KYVERNO
from tools.sources import find_sources

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/kyverno.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
SECONDS = 180.0


@pytest.fixture
def release(plane: Plane, helm: Helm) -> Iterator[Kubectl]:
    """Our chart, installed; of a cluster without nodes nobody fills the Secret of the certificate, so we do."""
    system = plane.kubectl.inside(SYSTEM)
    in_cluster = Helm(helm.program, system.kubeconfig)
    in_cluster.do("install", "patchgate", str(ROOT / "charts/patchgate"), "--namespace", SYSTEM)
    ca = plane.credentials.ca.read_text(encoding="utf-8")
    assert system.patch("secret/patchgate-certificate", {"stringData": {"ca.crt": ca}}, kind="merge").is_admitted
    yield system
    in_cluster.do("uninstall", "patchgate", "--namespace", SYSTEM)
    system.do("delete", *DATA)


@pytest.fixture
def programs(tmp_path: Path, helm: Helm, kyverno_programs: Path) -> str:
    """A PATH with what people have."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, program in (("kubectl", PROGRAM), ("helm", helm.program), ("kyverno", kyverno_programs / "kyverno")):
        (folder / name).symlink_to(program)
    return f"{folder}:/usr/bin:/bin"


def test_every_command_works(kyverno: Kyverno, release: Kubectl, programs: str, tmp_path: Path) -> None:
    assert kyverno.admission.process
    for name in ("charts", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["/bin/sh", "-exc", COMMANDS],
        cwd=tmp_path,
        env={"PATH": programs, "HOME": str(tmp_path), "KUBECONFIG": str(release.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("\n+ ") >= len(re.findall(r"^\w", COMMANDS, re.MULTILINE)) - 1
    assert "-----BEGIN CERTIFICATE-----" in (tmp_path / "patchgate-ca.crt").read_text(encoding="utf-8")


def test_kyvernos_chart_takes_the_roots(helm: Helm, tmp_path: Path) -> None:
    """The one command that is not tried there: Kyverno runs without its chart's Pods here."""
    roots = tmp_path / "roots.crt"
    roots.write_text("-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n", encoding="utf-8")
    chart = copy_chart(find_sources(KYVERNO, find_cache()), tmp_path)
    flag = "global.caCertificates.data"
    assert f"--set-file {flag}=roots.crt" in TEXT
    rendered = helm.do(
        "template", "kyverno", str(chart), "-n", NAMESPACE, "--kube-version", "1.37.2", f"--set-file={flag}={roots}"
    )
    objects = [each for each in yaml.safe_load_all(rendered) if each]
    assert "ours" in str([each for each in objects if each["kind"] == "ConfigMap"])
    deployments = [each for each in objects if each["kind"] == "Deployment"]
    mounted = {
        each["metadata"]["name"]
        for each in deployments
        if "/etc/ssl/certs/ca-certificates.crt" in str(each["spec"]["template"])
    }
    assert {"kyverno-admission-controller", "kyverno-reports-controller"} <= mounted


def test_the_commands_are_found() -> None:
    assert COMMANDS.count("helm upgrade patchgate") == 2
