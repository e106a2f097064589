"""What fails or ends in the middle: that image's alone, nothing lost, nothing half, and the next run makes it good."""

import json
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.patch.bench import Bench
from tests.patch.buildkit import BuildKit, run_buildkit
from tests.patch.registry import Registry
from tests.patch.site import RUN_SECONDS, Site, approved

if TYPE_CHECKING:
    import subprocess

EMPTY_TRIVY = """#!{python}
import os, sys
if "--output" in sys.argv:
    open(sys.argv[sys.argv.index("--output") + 1], "w").write("{{}}")
else:
    os.execv("{real}", ["trivy", *sys.argv[1:]])
"""
IDLE_COPA = """#!{python}
import os, sys
if "patch" not in sys.argv:
    os.execv("{real}", ["copa", *sys.argv[1:]])
"""


@pytest.fixture
def own_buildkit(bench: Bench, registry: Registry) -> Iterator[BuildKit]:
    """One that a test may end."""
    with run_buildkit(bench.programs.buildkit, bench.make_folder(), [registry.address], registry.address) as running:
        yield running


def write_program(folder: Path, name: str, text: str, real: Path) -> str:
    """Write a program that stands before the real one; gives its path."""
    program = folder / name
    program.write_text(text.format(python=sys.executable, real=real), encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def wait_for_step(process: "subprocess.Popen[str]", step: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if json.loads(line).get("step") == step:
            return
    pytest.fail(f"it ended before the step {step}")


def read_end(process: "subprocess.Popen[str]") -> dict[str, str]:
    """Wait for its end; gives image → result."""
    process.wait(RUN_SECONDS)
    assert process.stdout
    return {image["image"]: image["result"] for image in json.loads(process.stdout.read())["images"]}


def test_an_empty_report_is_a_failure_and_never_clean(site: Site, bench: Bench) -> None:
    image = bench.push("tls", "faults/empty-report", "1.0")
    site.list_images(image)
    trivy = write_program(bench.make_folder(), "trivy", EMPTY_TRIVY, bench.programs.trivy)
    run = site.patch("--trivy", trivy)
    assert (run.exit_code, run.results, run.builds) == (1, {image: "failed"}, set()), run.text
    assert site.read_record(image)["approved_digest"] is None


def test_a_copa_that_ends_well_and_pushes_nothing_is_a_failure(site: Site, bench: Bench) -> None:
    image = bench.push("tls", "faults/idle-copa", "1.0")
    site.list_images(image)
    copa = write_program(bench.make_folder(), "copa", IDLE_COPA, bench.programs.copa)
    run = site.patch("--copa", copa)
    assert (run.exit_code, run.results) == (1, {image: "failed"}), run.text
    assert "pushed nothing" in run.messages[image]
    assert bench.registry.read_tags("faults/idle-copa") == ["1.0"]


def test_buildkits_death_fails_the_image_and_the_next_run_patches_it(
    bench: Bench, site: Site, own_buildkit: BuildKit
) -> None:
    site.bench = replace(bench, buildkit=own_buildkit)
    image = bench.push("tls", "faults/buildkit", "1.0")
    site.list_images(image)
    with site.start() as process:
        wait_for_step(process, "patch")
        assert own_buildkit.program.process
        while not own_buildkit.list_builds():
            assert process.poll() is None
        own_buildkit.program.process.kill()
        own_buildkit.program.process.wait()
        assert read_end(process) == {image: "failed"}
    assert process.returncode == 1
    assert "BuildKit is gone" in site.read_record(image)["message"]
    assert bench.registry.read_tags("faults/buildkit") == ["1.0"]
    own_buildkit.program.start()
    run = site.patch()
    assert run.results == {image: "patched"}, run.text


def test_sigterm_leaves_what_is_not_done_and_the_next_run_does_it(site: Site, bench: Bench) -> None:
    images = [bench.push("text", f"faults/term-{number}", "1.0") for number in range(3)]
    site.list_images(*images)
    assert site.patch(images[0]).results == {images[0]: "patched"}
    before = site.read_data()
    with site.start("--jobs", "1") as process:
        wait_for_step(process, "patch")
        process.send_signal(signal.SIGTERM)
        results = read_end(process)
    assert process.returncode == 1
    assert results == dict.fromkeys(images, "left")  # the never verified ones come first
    assert list(site.temporary.iterdir()) == []
    assert json.loads(site.read_data()["records.json"])["last_run"] == json.loads(before["records.json"])["last_run"]
    assert approved(site.read_record(images[0]))
    run = site.patch()
    assert run.results == {images[0]: "unchanged", images[1]: "patched", images[2]: "patched"}, run.text


def test_a_run_that_is_killed_loses_no_approval_and_the_next_patches(site: Site, bench: Bench) -> None:
    done, begun = bench.push("text", "faults/done", "1.0"), bench.push("pictures", "faults/begun", "1.0")
    site.list_images(done, begun)
    assert site.patch(done).results == {done: "patched"}
    before = approved(site.read_record(done))
    with site.start(begun) as process:
        wait_for_step(process, "patch")
        process.kill()
        process.wait()
    assert approved(site.read_record(done)) == before
    assert site.check(begun) == {begun: "WithinSla"}, "its clock runs from the scan on"
    run = site.patch()
    assert run.results == {done: "unchanged", begun: "patched"}, run.text
    assert site.check(done, begun) == {done: "PatchAvailable", begun: "PatchAvailable"}


def test_two_runs_at_once_lose_nothing_and_share_no_tag(site: Site, bench: Bench) -> None:
    images = [bench.push("text", f"faults/both-{number}", "1.0") for number in range(3)]
    site.list_images(*images)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: site.patch(), range(2)))
    assert [run.exit_code for run in runs] == [0, 0], [run.text for run in runs]
    for number, image in enumerate(images):
        record = site.read_record(image)
        tags = [tag for tag in bench.registry.read_tags(f"faults/both-{number}") if "-patched-" in tag]
        digests = {bench.registry.read_digest(f"faults/both-{number}", tag) for tag in tags}
        known = {record["approved_digest"], *(each["digest"] for each in record["earlier"])}
        assert digests == known
        assert len(tags) == len(digests)
