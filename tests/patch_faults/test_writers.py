"""Others who write meanwhile: a second patcher, a person with an editor, a newer patchgate. Nobody loses a word."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml

from patchgate.configmaps.configmap import Names
from tests.patch.site import Run
from tests.patch_faults.records_watcher import list_approved, watch_records
from tests.patch_faults.scene import Scene, find_processes, read_tags
from tests.patch_faults.test_kill import expect_nothing_lost, expect_verified, wait_for

RECORDS = Names().records
OWN_LINE = f"registry.example.com/shop@sha256:{'5' * 64}  # patched from registry.example.com/shop:1.0 on 20261101"
NEWER = '{"schema": 2, "records": {"everything": "is different"}}'


def test_two_patchers_at_once_on_one_list_lose_nothing(scene: Scene) -> None:
    before = read_tags(scene.bench)
    with watch_records(scene.site.source) as watcher, ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: scene.site.patch(), range(2)))
    assert [run.exit_code for run in runs] == [0, 0], [run.text for run in runs]
    assert before.items() <= read_tags(scene.bench).items()
    expect_nothing_lost(scene, watcher)
    expect_verified(scene)
    record = scene.site.read_record(scene.victim)
    known = {each.rpartition("@")[2] for each in list_approved(record)}
    assert set(scene.patched_tags.values()) <= known
    assert len(scene.patched_tags) == len(set(scene.patched_tags.values()))
    scene.expect_nothing_left()


def test_what_a_person_writes_while_an_image_is_patched_stays(scene: Scene) -> None:
    file = scene.site.source / f"{RECORDS}.yaml"
    with patching(scene) as runs:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["data"]["digests.txt"] += f"{OWN_LINE}\n"
        document["data"]["notes.txt"] = "seen by me"
        document["metadata"]["annotations"] = {"example.com/owner": "shop"}
        file.write_text(f"# by hand\n{yaml.safe_dump(document)}", encoding="utf-8")
    scene.expect_patched(runs[0])
    text = file.read_text(encoding="utf-8")
    after = yaml.safe_load(text)
    assert text.startswith("# by hand\n")
    assert scene.site.read_record(scene.victim)["approved_digest"] in after["data"]["digests.txt"]
    assert OWN_LINE in after["data"]["digests.txt"]
    assert after["data"]["notes.txt"] == "seen by me"
    assert after["metadata"]["annotations"] == {"example.com/owner": "shop"}


def test_records_that_a_newer_patchgate_took_over_meanwhile_stay_untouched(scene: Scene) -> None:
    file = scene.site.source / f"{RECORDS}.yaml"
    with patching(scene) as runs:
        take_over(file)
        newer = file.read_bytes()
    (run,) = runs
    assert (run.exit_code, run.results[scene.victim]) == (1, "failed"), run.text
    assert "has schema 2" in run.messages[scene.victim]
    assert file.read_bytes() == newer
    again = scene.site.patch()
    assert (again.exit_code, again.answer) == (2, {})
    assert "has schema 2" in again.text
    assert file.read_bytes() == newer
    assert (find_processes(scene.site.temporary), list(scene.site.temporary.iterdir())) == ([], [])


def take_over(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["data"]["records.json"] = NEWER
    file.write_text(yaml.safe_dump(document), encoding="utf-8")


@contextmanager
def patching(scene: Scene) -> Iterator[list[Run]]:
    """Run the patcher, and have it in a build while the block lasts; its run is in the list then."""
    mark, flags = scene.stand_in("copa", "pause", "^patch ")
    runs: list[Run] = []
    with scene.site.start(*flags, "--jobs", "1") as process:
        wait_for(mark, process)
        yield runs
        mark.unlink()
        runs.append(scene.site.finish(process))
