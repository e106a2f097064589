"""What the other tests stand on, without the patcher: Trivy finds, Copa patches, and then Trivy finds nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.patch.bench import CLEAN, PACKAGES, Bench
from tests.patch.registry import Registry, write_docker_config
from tests.patch.scanner import Scanner
from tests.plane.program import PATH


def patch(bench: Bench, reference: str, report: Path, target: str, docker_config: Path) -> str:
    """Have Copa patch the image; gives what it said."""
    command = [
        *(str(bench.programs.copa), "patch", "--addr", bench.buildkit.address, "--timeout", "5m", "--push"),
        *("--progress", "plain", "-i", reference, "-r", str(report), "-t", target),
    ]
    environment = {"PATH": PATH, "HOME": os.environ["HOME"], "DOCKER_CONFIG": str(docker_config)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("root", PACKAGES)
def test_an_image_lacks_updates_and_has_them_once_patched(bench: Bench, scanner: Scanner, root: str) -> None:
    image = bench.push(root, f"bench/{root}", "1.0")
    digest = bench.registry.read_digest(f"bench/{root}", "1.0")
    assert scanner.find(f"{image}@{digest}", bench.make_folder())
    report = scanner.write_report(f"{image}@{digest}", bench.make_folder() / "report.json")
    docker_config = write_docker_config(bench.make_folder(), {})
    patch(bench, f"{image}@{digest}", report, f"{image}-patched", docker_config)
    assert scanner.find(f"{image}-patched", bench.make_folder()) == set()


def test_the_three_package_sets_lack_different_things(bench: Bench, scanner: Scanner) -> None:
    found = [scanner.find(bench.push(root, f"sets/{root}", "1"), bench.make_folder()) for root in PACKAGES]
    assert all(found)
    assert len({frozenset(each) for each in found}) == 3


def test_an_updated_image_lacks_nothing(bench: Bench, scanner: Scanner) -> None:
    assert scanner.find(bench.push(CLEAN, "bench/clean", "1.0"), bench.make_folder()) == set()


def test_a_database_finds_what_it_knows_alone(bench: Bench, scanner: Scanner) -> None:
    image = bench.push("tls", "bench/database", "1.0")
    fewer = bench.write_database(fact for fact in bench.facts if fact.source != "expat")
    lost = scanner.find(image, bench.make_folder()) - bench.scan_with(fewer).find(image, bench.make_folder())
    assert lost
    assert all(finding.startswith("libexpat1/") for finding in lost)


def test_a_push_is_seen_in_the_registrys_log_and_a_digest_read_by_the_tests_is_not(bench: Bench) -> None:
    mark = bench.registry.mark()
    bench.push("tls", "bench/log", "1.0")
    assert bench.registry.read_digest("bench/log", "1.0")
    asked = [(request.method, request.reference) for request in bench.registry.read_requests(mark)]
    assert asked.count(("PUT", "1.0")) == 1
    assert ("HEAD", "1.0") not in asked
    assert not bench.registry.read_requests(bench.registry.mark())


def test_a_guarded_registry_lets_in_who_has_its_login(bench: Bench, guarded_registry: Registry) -> None:
    bench.push("tls", "bench/guarded", "1.0", to=guarded_registry)
    assert guarded_registry.read_tags("bench/guarded") == ["1.0"]
    assert [request.status for request in guarded_registry.read_requests(0) if request.kind == ""].count(401) >= 1
