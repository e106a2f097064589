"""What `patchgate flux` prints: by Flux's own schemas on the real kube-apiserver, and as its controller follows it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_configmaps
from tests.groups import leave_out
from tests.patcher.http_server import HttpServer
from tests.plane.control_plane import Plane, wait_until
from tests.plane.flux import NAMESPACE, install_crds, run_reflector, serve_tags, sign
from tests.plane.kubectl import Kubectl
from tests.world import digest, image_list
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import FLUX, FLUX_CRDS

API = "registry.example.com/myapp/api"
FOLLOW_SECONDS = 120.0
REPOSITORIES = {
    "myapp/api": [
        "1.4.2",
        "1.4.2-patched-20260508",
        "1.4.2-patched-20260509",
        "1.4.2-patched-20260509.02",
        "1.4.2-patched-20260509.10",
        "1.4.2-patched-20260509.10-amd64",
        "1.4.2-candidate-20260511",
        "1x4.2-patched-20270101",
        "1.4.3-patched-20270101",
    ],
    "patched/nginx": ["1.25-alpine-patched-20251231.99", "1.25-alpine-patched-20260101", "latest"],
    "myapp/clean": ["2.0"],
}


@pytest.fixture(scope="module")
def flux_system(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """kubectl in Flux's namespace, its objects known."""
    programs = find_programs(FLUX_CRDS, find_cache())
    if programs is None:
        leave_out("controller-gen is not built here; make tools does")
    install_crds(plane, programs, tmp_path_factory.mktemp("crds"))
    return plane.make_namespace(NAMESPACE)


@pytest.fixture(scope="module")
def reflector(flux_system: Kubectl, plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """kubectl where Flux's controller follows images."""
    programs = find_programs(FLUX, find_cache())
    if programs is None:
        leave_out("Flux's image-reflector-controller is not built here; make tools does")
    with run_reflector(plane, programs, tmp_path_factory.mktemp("reflector")):
        yield flux_system


@pytest.fixture(scope="module")
def registry() -> Iterator[HttpServer]:
    with serve_tags(REPOSITORIES) as serving:
        yield serving


def print_flux(source: Path, into: Path, *options: str) -> Path:
    """Have `patchgate flux` print into a file."""
    command = [sys.executable, "-m", "patchgate", "flux", "--source", str(source), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    into.write_text(printed.stdout, encoding="utf-8")
    return into


def read_latest(kubectl: Kubectl) -> dict[str, str]:
    """What Flux chose: repository → REPO:TAG@DIGEST."""
    policies: list[dict[str, Any]] = kubectl.get("imagepolicies")["items"]
    found = (policy.get("status", {}).get("latestRef") for policy in policies)
    return {each["name"]: f"{each['name']}:{each['tag']}@{each['digest']}" for each in found if each}


def test_what_is_printed_is_what_fluxs_schemas_take(flux_system: Kubectl, tmp_path: Path) -> None:
    lines = (
        f"{API}:1.4.2",
        f"{API}:A_b.c-D@{digest('one')}",
        f"{API}:{'x' * 110}",
        "nginx:1.25",
        "localhost:5000/a/b_c:1",
    )
    world = image_list(*lines, push_to="docker.io/library = registry.example.com:5000/patched")
    options = ("--branch", "main", "--path", "./apps", "--interval", "1h30m", "--registry-secret", "registry")
    for number, more in enumerate(((), options)):
        printed = print_flux(write_configmaps(tmp_path / "source", world), tmp_path / f"{number}.yaml", *more)
        said = flux_system.ask("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", str(printed))
        assert said.is_admitted, said.errors
        assert len(said.out.splitlines()) == 4 + 5 + 1 - 1  # three tags are of one repository
        assert said.warnings == ()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("interval: '10m'", "interval: '10'", "spec.interval"),
        ("digestReflectionPolicy: IfNotPresent", "digestReflectionPolicy: Sometimes", "spec.digestReflectionPolicy"),
        ("strategy: Setters", "strategy: Guesses", "spec.update.strategy"),
        ("filterTags:", "filterTag:", "field not declared in schema"),
    ],
)
def test_those_schemas_refuse_what_is_wrong(
    flux_system: Kubectl, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    printed = print_flux(write_configmaps(tmp_path, image_list(f"{API}:1")), tmp_path / "flux.yml")
    text = printed.read_text(encoding="utf-8")
    assert right in text
    printed.write_text(text.replace(right, wrong), encoding="utf-8")
    answer = flux_system.ask("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", str(printed))
    assert not answer.is_admitted
    assert said in answer.errors


def test_flux_follows_the_newest_patched_tag_by_digest(
    reflector: Kubectl, registry: HttpServer, tmp_path: Path
) -> None:
    lines = [f"{registry.host}/myapp/api:1.4.2", "nginx:1.25-alpine", f"{registry.host}/myapp/clean:2.0"]
    world = image_list(*lines, push_to=f"docker.io/library = {registry.host}/patched")
    reflector.do("apply", "-f", str(print_flux(write_configmaps(tmp_path, world), tmp_path / "flux.yml")))
    newest = {"myapp/api": "1.4.2-patched-20260509.10", "patched/nginx": "1.25-alpine-patched-20260101"}
    chosen = {f"{registry.host}/{name}": f"{registry.host}/{name}:{tag}@{sign(tag)}" for name, tag in newest.items()}
    wait_until(lambda: len(read_latest(reflector)) == len(newest), "tags chosen", FOLLOW_SECONDS)
    assert read_latest(reflector) == chosen
