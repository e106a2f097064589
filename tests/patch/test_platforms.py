"""An index of two platforms: what the policy asks for is patched, the other stays as it is."""

from pathlib import Path

from tests.groups import leave_out
from tests.patch.bench import Bench
from tests.patch.site import Site, approved

TWO = ("linux/amd64", "linux/arm64/v8")
EMULATOR = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")


def read_children(bench: Bench, repository: str, reference: str) -> dict[str, str]:
    children = bench.registry.read_manifest(repository, reference)["manifests"]
    return {each["platform"]["architecture"]: each["digest"] for each in children}


def test_of_two_platforms_one_is_patched_and_the_other_stays(site: Site, bench: Bench) -> None:
    image = bench.push("text", "platforms/one", "1.0", platforms=TWO)
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    assert "linux/arm64" in run.messages[image]
    record = site.read_record(image)
    before = read_children(bench, "platforms/one", "1.0")
    after = read_children(bench, "platforms/one", record["approved_digest"])
    assert (after.keys(), after["arm64"]) == (before.keys(), before["arm64"])
    assert after["amd64"] != before["amd64"]
    assert record["approved_platforms"] == {"linux/amd64": after["amd64"]}
    scanner = bench.scan_with(site.database)
    assert scanner.find(approved(record), bench.make_folder()) == set()
    assert scanner.find(approved(record), bench.make_folder(), "linux/arm64") != set()
    repository = image.partition(":1.0")[0]
    assert site.check(f"{repository}@{after['amd64']}", f"{repository}@{after['arm64']}", image) == {
        f"{repository}@{after['amd64']}": "Approved",
        f"{repository}@{after['arm64']}": "PatchAvailable",
        image: "PatchAvailable",
    }
    again = site.patch()
    assert (again.results, again.count("HEAD", "manifests"), len(again.requests)) == ({image: "unchanged"}, 3, 3)


def test_a_platform_that_cannot_run_here_fails_the_image_with_what_to_do(site: Site, bench: Bench) -> None:
    if EMULATOR.exists():
        leave_out("arm64 can run here")
    image = bench.push("text", "platforms/both", "1.0", platforms=TWO)
    site.list_images(image, platforms="linux/amd64,linux/arm64")
    run = site.patch()
    assert (run.exit_code, run.results) == (1, {image: "failed"}), run.text
    assert "a platform cannot run here" in run.messages[image]
    assert [tag for tag in bench.registry.read_tags("platforms/both") if "-patched-" in tag] == []
