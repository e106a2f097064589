"""The patcher's registry, scanner and fixer on the real ones: what they say, and what they leave in the registry."""

import json
import shutil
import threading
import time
from pathlib import Path

import pytest

from patchgate.errors import FixError, RegistryError, ScanError, SetupError
from patchgate.patcher.copa import name_vex_file
from patchgate.patcher.finding import Report
from tests.groups import leave_out
from tests.patch.adapters import Adapters
from tests.patch.bench import CLEAN, Bench
from tests.patch.buildkit import BuildKit, run_buildkit
from tests.patch.registry import PASSWORD, USER, Registry

MINUTES = 300.0
BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture
def adapters(bench: Bench) -> Adapters:
    return Adapters(bench, (bench.registry,))


def scan(adapters: Adapters, image: str, platform: str = "linux/amd64") -> Report:
    trivy = adapters.make_trivy(adapters.bench.write_database(adapters.bench.facts))
    return trivy.scan(image, platform, adapters.bench.make_folder() / "report.json", MINUTES)


def pin(adapters: Adapters, image: str) -> str:
    repository, _, tag = image.rpartition(":")
    return f"{image}@{adapters.registry.find_digest(repository, tag)}"


def test_trivy_says_its_version_and_how_old_its_database_is(adapters: Adapters) -> None:
    scanner = adapters.make_trivy(adapters.bench.write_database(adapters.bench.facts)).probe()
    assert (scanner.name, scanner.version) == ("trivy", "0.69.3")
    assert scanner.database is not None


def test_trivy_without_a_database_cannot_start(adapters: Adapters) -> None:
    with pytest.raises(SetupError, match=r"^Trivy has no vulnerability database in "):
        adapters.make_trivy(adapters.bench.make_folder()).probe()


def test_trivy_without_a_database_scans_nothing(adapters: Adapters) -> None:
    image = pin(adapters, adapters.bench.push("tls", "adapters/no-database", "1.0"))
    with pytest.raises(ScanError, match="it has no vulnerability database"):
        adapters.make_trivy(adapters.bench.make_folder()).scan(
            image, "linux/amd64", adapters.bench.make_folder() / "report.json", MINUTES
        )


def test_a_vulnerable_image_is_patched_and_then_clean(adapters: Adapters) -> None:
    image = adapters.bench.push("tls", "adapters/tls", "1.0")
    repository = image.rpartition(":")[0]
    report = scan(adapters, pin(adapters, image))
    assert report.os_family == "debian"
    assert report.findings
    assert report.library_findings == 0
    vex = adapters.bench.make_folder()
    copa = adapters.make_copa(vex=vex)
    copa.probe()
    copa.wait_until_ready(MINUTES)
    assert copa.can_patch(report)
    adapters.registry.check_push(repository)
    copa.fix(pin(adapters, image), [report], f"{image}-candidate", is_index=False, limit_seconds=MINUTES)
    assert scan(adapters, pin(adapters, f"{image}-candidate")).findings == ()
    statements = json.loads((vex / name_vex_file(f"{image}-candidate")).read_text())["statements"]
    assert {each["status"] for each in statements} == {"fixed"}
    digest = str(adapters.registry.find_digest(repository, "1.0-candidate"))
    patched = adapters.registry.describe(repository, digest)
    assert (patched.is_index, list(patched.platforms)) == (False, ["linux/amd64"])
    adapters.registry.tag(repository, digest, "1.0-patched")
    assert adapters.registry.find_digest(repository, "1.0-patched") == digest
    assert adapters.registry.delete_tag(repository, "1.0-candidate") is False  # docker-registry 2.8 does not
    assert sorted(adapters.registry.list_tags(repository)) == ["1.0", "1.0-candidate", "1.0-patched"]
    assert adapters.warnings == []


def test_an_index_stays_one_with_its_other_platforms(adapters: Adapters) -> None:
    image = adapters.bench.push("tls", "adapters/index", "1.0", platforms=BOTH)
    repository, digest = image.rpartition(":")[0], pin(adapters, image).rpartition("@")[2]
    source = adapters.registry.describe(repository, digest)
    assert (source.is_index, sorted(source.platforms)) == (True, list(BOTH))
    report = scan(adapters, pin(adapters, image))
    adapters.make_copa().fix(pin(adapters, image), [report], f"{image}-candidate", is_index=True, limit_seconds=MINUTES)
    patched = adapters.registry.describe(repository, pin(adapters, f"{image}-candidate").rpartition("@")[2])
    assert sorted(patched.platforms) == list(BOTH)
    assert patched.platforms["linux/arm64"] == source.platforms["linux/arm64"]
    assert patched.platforms["linux/amd64"] != source.platforms["linux/amd64"]
    assert scan(adapters, pin(adapters, f"{image}-candidate")).findings == ()


def test_a_report_of_another_platform_is_not_believed(adapters: Adapters) -> None:
    image = pin(adapters, adapters.bench.push("tls", "adapters/platform", "1.0"))
    with pytest.raises(ScanError, match=r"^Trivy's report is of linux/amd64, and not of linux/arm64$"):
        scan(adapters, image, "linux/arm64")


def test_an_image_that_is_gone_is_said_to_be(adapters: Adapters) -> None:
    image = adapters.bench.push("tls", "adapters/gone", "1.0")
    with pytest.raises(ScanError, match=r"^Trivy: the registry has no such image any more"):
        scan(adapters, f"{image}@sha256:{'0' * 64}")


def test_copa_is_not_asked_to_patch_what_is_clean(adapters: Adapters) -> None:
    image = adapters.bench.push(CLEAN, "adapters/clean", "1.0")
    report = scan(adapters, pin(adapters, image))
    assert (report.os_family, report.findings) == ("debian", ())
    with pytest.raises(FixError, match="there is nothing to patch"):
        adapters.make_copa().fix(pin(adapters, image), [report], f"{image}-x", is_index=False, limit_seconds=MINUTES)
    assert adapters.bench.registry.read_tags("adapters/clean") == ["1.0"]


def test_a_login_is_used_by_all_three_and_shown_by_none(
    bench: Bench, guarded_registry: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    image = bench.push("tls", "adapters/guarded", "1.0", to=guarded_registry)
    inside = Adapters(bench, (guarded_registry,), {guarded_registry.address: (USER, PASSWORD)})
    report = scan(inside, pin(inside, image))
    inside.registry.check_push(image.rpartition(":")[0])
    inside.make_copa().fix(pin(inside, image), [report], f"{image}-x", is_index=False, limit_seconds=MINUTES)
    assert guarded_registry.read_tags("adapters/guarded") == ["1.0", "1.0-x"]
    assert PASSWORD not in "".join(capfd.readouterr())


@pytest.mark.parametrize("login", [None, (USER, "wrong-password")])
def test_without_the_right_login_each_says_what_to_do(
    bench: Bench, guarded_registry: Registry, login: tuple[str, str] | None
) -> None:
    image = bench.push("tls", "adapters/refused", "1.0", to=guarded_registry)
    right = Adapters(bench, (guarded_registry,), {guarded_registry.address: (USER, PASSWORD)})
    pinned, report = pin(right, image), scan(right, pin(right, image))
    outside = Adapters(bench, (guarded_registry,), {guarded_registry.address: login} if login else {})
    with pytest.raises(RegistryError, match=r"^push refused: 401 from .*credentials"):
        outside.registry.check_push(image.rpartition(":")[0])
    with pytest.raises(ScanError, match=r"^Trivy: the registry refused its credentials \(401\)"):
        scan(outside, pinned)
    with pytest.raises(FixError, match=r"^Copa: the registry refused its credentials \(401\)") as caught:
        outside.make_copa().fix(pinned, [report], f"{image}-refused", is_index=False, limit_seconds=MINUTES)
    assert "wrong-password" not in str(caught.value)
    assert "1.0-refused" not in guarded_registry.read_tags("adapters/refused")


def test_a_buildkit_that_is_gone_is_named(adapters: Adapters, tmp_path: Path) -> None:
    image = adapters.bench.push("tls", "adapters/no-buildkit", "1.0")
    report = scan(adapters, pin(adapters, image))
    copa = adapters.make_copa(f"unix://{tmp_path}/gone.sock")
    with pytest.raises(FixError, match=r"^Copa: BuildKit is gone"):
        copa.fix(pin(adapters, image), [report], f"{image}-x", is_index=False, limit_seconds=MINUTES)


def test_a_build_that_takes_too_long_is_ended(adapters: Adapters) -> None:
    image = adapters.bench.push("tls", "adapters/slow", "1.0")
    report = scan(adapters, pin(adapters, image))
    with pytest.raises(FixError, match=r"^Copa: it took too long|^Copa took longer than 1 s"):
        adapters.make_copa().fix(pin(adapters, image), [report], f"{image}-x", is_index=False, limit_seconds=1)
    assert adapters.bench.registry.read_tags("adapters/slow") == ["1.0"]


def test_a_platform_that_cannot_run_here_is_said(adapters: Adapters) -> None:
    if shutil.which("qemu-aarch64-static") or Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists():
        leave_out("arm64 runs here")
    image = adapters.bench.push("tls", "adapters/emulation", "1.0", platforms=BOTH)
    reports = [scan(adapters, pin(adapters, image), platform) for platform in BOTH]
    with pytest.raises(FixError, match=r"^Copa: a platform cannot run here: install QEMU"):
        adapters.make_copa().fix(pin(adapters, image), reports, f"{image}-x", is_index=True, limit_seconds=MINUTES)
    assert "1.0-x" not in adapters.bench.registry.read_tags("adapters/emulation")


def test_a_buildkit_killed_in_the_middle_is_one_images_failure(adapters: Adapters) -> None:
    bench = adapters.bench
    image = bench.push("tls", "adapters/killed", "1.0")
    report, pinned = scan(adapters, pin(adapters, image)), pin(adapters, image)
    known = [bench.registry.address]
    with run_buildkit(bench.programs.buildkit, bench.make_folder(), known, bench.registry.address) as own:
        mark = bench.registry.mark()
        killer = threading.Thread(target=kill_once_it_pulls, args=(bench, own, mark))
        killer.start()
        with pytest.raises(FixError, match=r"^Copa: BuildKit is gone; look at its log"):
            adapters.make_copa(own.address).fix(pinned, [report], f"{image}-x", is_index=False, limit_seconds=MINUTES)
        killer.join()
    assert bench.registry.read_tags("adapters/killed") == ["1.0"]


def kill_once_it_pulls(bench: Bench, buildkit: BuildKit, mark: int) -> None:
    deadline = time.monotonic() + MINUTES
    while not any(each.kind == "blobs" for each in bench.registry.read_requests(mark)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert buildkit.program.process
    buildkit.program.process.kill()
