"""The store on real files: no write is lost, nothing else of a file changes, and a killed writer spoils nothing."""

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.errors import HeldError, SourceError, StoreError
from patchgate.patcher.directory_store import DirectoryStore
from patchgate.patcher.file_lock import lock_directory, lock_name
from patchgate.patcher.image import Target
from patchgate.patcher.transition import record_clean, record_failure, record_patched
from patchgate.policy.part import RecordsPart
from patchgate.policy.record import Record
from patchgate.policy.verdict import Reason
from tests.die_with_parent import die_with_parent
from tests.patcher.images import IMAGE, REPOSITORY, approval, attempt, manifest
from tests.world import NAMES, NOW, digest, hours_ago, image_list, patched, record, records, team_list, verdict

WAIT_SECONDS = 60.0


def write(directory: Path, *configmaps: ConfigMap) -> None:
    for configmap in configmaps:
        metadata = {"name": configmap.name, "labels": dict(configmap.labels)}
        head = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        data = f"data: {json.dumps(dict(configmap.data))}\n"  # which is YAML, and quicker
        (directory / f"{configmap.name}.yaml").write_text(head + data, encoding="utf-8")


def make_store(directory: Path, now: datetime = NOW) -> DirectoryStore:
    return DirectoryStore(directory, NAMES, lambda: now)


def read_data(directory: Path, name: str = NAMES.records) -> dict[str, str]:
    documents = yaml.safe_load_all((directory / f"{name}.yaml").read_text(encoding="utf-8"))
    data: dict[str, str] = next(each["data"] for each in documents if each["metadata"]["name"] == name)
    return data


def read_part(directory: Path, name: str = NAMES.records) -> RecordsPart:
    return read_records(ConfigMap(name, {}, read_data(directory, name)), None, NOW)


def fail(before: Record | None, image: str = IMAGE, message: str = "time-out") -> Record:
    repository, _, tag = image.rpartition(":")
    return record_failure(
        before, replace(attempt(), target=Target(repository, tag, None, repository, None)), message, NOW
    )


def approve(before: Record | None) -> Record:
    held = approval("20260509")
    return record_patched(before, attempt(manifest("source"), is_vulnerable=True), held, "1 CRITICAL fixed", NOW)


def test_the_first_record_makes_the_file_and_the_gate_admits_by_it(tmp_path: Path) -> None:
    write(tmp_path, image_list(IMAGE))
    store = make_store(tmp_path)
    assert store.load().find_repository(REPOSITORY) is not None
    written = store.change_record(IMAGE, approve)
    assert read_part(tmp_path).records == {IMAGE: written}
    assert read_part(tmp_path).generation == 1
    assert read_data(tmp_path)["digests.txt"] == (
        f"{REPOSITORY}@{digest('20260509')}  # patched from {IMAGE} on 20260509\n"
    )
    assert verdict(f"{IMAGE}-patched-20260509", store.load()).reason is Reason.APPROVED
    assert verdict(IMAGE, store.load()).reason is Reason.PATCH_AVAILABLE
    assert {path.name for path in tmp_path.iterdir()} == {"copa-image-list.yaml", "copa-patched-digests.yaml"}


def test_a_change_is_given_what_stands_there_and_each_write_is_a_generation(tmp_path: Path) -> None:
    write(tmp_path, records({IMAGE: patched(f"{IMAGE}-patched-20260508")}, generation=17))
    seen: list[Record | None] = []
    store = make_store(tmp_path)

    def remember(before: Record | None) -> Record:
        seen.append(before)
        return fail(before)

    for _ in range(2):
        store.change_record(IMAGE, remember)
    assert [each and each.message for each in seen] == ["the package mirror does not carry the fix yet", "time-out"]
    assert read_part(tmp_path).generation == 19
    assert read_part(tmp_path).records[IMAGE].approved is not None


def test_only_the_configmap_concerned_is_written_and_all_else_of_its_file_stays(tmp_path: Path) -> None:
    write(tmp_path, image_list(IMAGE), records({"a.io/a:1": record()}, name="copa-patched-digests-1"))
    file = tmp_path / "all.yaml"
    mine = "# people's words\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: notes # stays\ndata: {a: 'b'}\n---\n"
    file.write_text(
        f"{mine}apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: copa-patched-digests\ndata:\n"
        '  # the patcher\'s\n  records.json: |\n    {"schema": 1, "records": {}}\n  other: kept\n'
        "---\nkind: Pod # too\n",
        encoding="utf-8",
    )
    file.chmod(0o640)
    others = {path: path.read_bytes() for path in tmp_path.iterdir() if path != file}
    make_store(tmp_path).change_record(IMAGE, fail)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path != file} == others
    text = file.read_text(encoding="utf-8")
    assert text.startswith(mine)
    assert text.endswith("\n  other: kept\n---\nkind: Pod # too\n")
    assert "  # the patcher's\n" in text
    assert file.stat().st_mode & 0o777 == 0o640
    assert make_store(tmp_path).read()[0].repositories[REPOSITORY].find_record("1.4.2") is not None


def test_a_record_stays_where_it_is(tmp_path: Path) -> None:
    write(tmp_path, records(), records({IMAGE: record()}, name="copa-patched-digests-3"))
    make_store(tmp_path).change_record(IMAGE, fail)
    assert read_part(tmp_path).records == {}
    assert read_part(tmp_path, "copa-patched-digests-3").records[IMAGE].message == "time-out"


def test_of_the_same_image_twice_the_newest_is_the_one_that_changes(tmp_path: Path) -> None:
    write(
        tmp_path,
        records({IMAGE: record(updated=hours_ago(5))}),
        records({IMAGE: record(updated=hours_ago(2), message="newest")}, name="copa-patched-digests-1"),
    )
    newest = make_store(tmp_path).change_record(
        IMAGE, lambda before: fail(before, message=f"was {before and before.message}")
    )
    assert newest.message == "was newest"
    assert read_part(tmp_path, "copa-patched-digests-1").records[IMAGE] == newest


def test_what_others_wrote_is_kept_in_the_file_good_or_bad(tmp_path: Path) -> None:
    bad: dict[str, object] = {"state": "no such state", "mine": [1, 2.5, "ü"]}
    known = record() | {"from_a_newer_patcher": {"a": None}}
    write(tmp_path, records({"bad.io/bad:1": bad, "not an image": bad, IMAGE: known}, from_a_newer_patcher=True))
    store = make_store(tmp_path)
    store.change_record(IMAGE, fail)
    store.change_record("b.io/b:1", lambda before: fail(before, "b.io/b:1"))
    content = json.loads(read_data(tmp_path)["records.json"])
    assert content["records"]["bad.io/bad:1"] == content["records"]["not an image"] == bad
    assert content["records"][IMAGE]["from_a_newer_patcher"] == {"a": None}
    assert content["records"][IMAGE]["message"] == "time-out"
    assert content["from_a_newer_patcher"] is True


def test_an_image_whose_own_record_is_bad_fails_and_its_record_is_not_lost(tmp_path: Path) -> None:
    write(tmp_path, records({IMAGE: patched(f"{IMAGE}-patched-20260509", updated="yesterday")}))
    content = read_data(tmp_path)
    with pytest.raises(StoreError, match=r"its record in copa-patched-digests cannot be read: updated: must be a text"):
        make_store(tmp_path).change_record(IMAGE, fail)
    assert read_data(tmp_path) == content


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"schema": 2, "records": {}}', "has schema 2, known is 1"), ('{"schema": 1, "rec', "is not to be read")],
)
def test_a_higher_schema_or_a_broken_file_is_refused_and_stays_untouched(
    tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, image_list(IMAGE), ConfigMap(NAMES.records, {}, {"records.json": text}))
    content = (tmp_path / "copa-patched-digests.yaml").read_bytes()
    store = make_store(tmp_path)
    with pytest.raises(SourceError, match=message):
        store.load()
    with pytest.raises(StoreError, match=f"its record may be in copa-patched-digests, which {message}"):
        store.change_record(IMAGE, fail)
    store.finish_run(NOW)  # noted elsewhere
    assert (tmp_path / "copa-patched-digests.yaml").read_bytes() == content
    assert read_part(tmp_path, "copa-patched-digests-1").last_run == NOW


def test_beside_a_broken_configmap_a_record_elsewhere_is_still_written(tmp_path: Path) -> None:
    write(tmp_path, records(schema=2), records({IMAGE: record()}, name="copa-patched-digests-1"))
    assert make_store(tmp_path).change_record(IMAGE, fail).message == "time-out"


@pytest.mark.parametrize("content", ["", "kind: [", "kind: ConfigMap\nmetadata: {}\n"])
def test_a_half_written_file_is_never_taken_for_no_records(tmp_path: Path, content: str) -> None:
    file = tmp_path / "copa-patched-digests.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=r"may be in copa-patched-digests\.yaml"):
        make_store(tmp_path).change_record(IMAGE, fail)
    assert file.read_text(encoding="utf-8") == content


def test_records_that_are_no_text_are_never_taken_for_none(tmp_path: Path) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: copa-patched-digests}\n"
    (tmp_path / "x.yaml").write_text(f"{head}data: {{records.json: {{schema: 1}}}}\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"has records\.json that must be a text"):
        make_store(tmp_path).change_record(IMAGE, fail)


def test_a_broken_file_of_somebody_elses_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("{{ not yaml", encoding="utf-8")
    assert make_store(tmp_path).change_record(IMAGE, fail).message == "time-out"


def test_a_new_record_goes_to_the_first_configmap_below_900_kib(tmp_path: Path) -> None:
    full = {"x.io/x:1": record(message="x" * 900 * 1024)}
    write(tmp_path, records(full), records(full, name="copa-patched-digests-1"))
    store = make_store(tmp_path)
    store.change_record(IMAGE, fail)
    assert IMAGE in read_part(tmp_path, "copa-patched-digests-2").records


def test_when_all_are_full_that_image_fails_and_the_others_go_on(tmp_path: Path) -> None:
    full = {"x.io/x:1": record(message="x" * 900 * 1024)}
    write(tmp_path, *(records(full, name=name) for name in NAMES.all_records))
    store = make_store(tmp_path)
    with pytest.raises(StoreError, match="all 8 ConfigMaps of records are full: raise --record-configmaps"):
        store.change_record(IMAGE, fail)
    assert store.change_record("x.io/x:1", lambda before: fail(before, "x.io/x:1")).message == "time-out"


def test_a_record_never_grows_beyond_what_kubernetes_takes(tmp_path: Path) -> None:
    write(tmp_path, records({IMAGE: record(), "x.io/x:1": record(message="x" * 1024 * 1023)}))
    with pytest.raises(StoreError, match="copa-patched-digests is full"):
        make_store(tmp_path).change_record(IMAGE, approve)


def test_digests_are_in_step_and_lines_without_a_record_stay(tmp_path: Path) -> None:
    of_script = f"{REPOSITORY}@{digest('old')}  # patched from {REPOSITORY}:1.0 on 20260508"
    of_image = f"{REPOSITORY}@{digest('article')} # patched from {IMAGE} on 20260509"
    other = f"x.io/x@{digest('x')}  # clean x.io/x:1 on 20260509"
    lines = ["# the article's", of_image, of_script, other, "no line at all", ""]
    write(tmp_path, records(digests=lines), records({"x.io/x:1": record()}, name="copa-patched-digests-1"))
    make_store(tmp_path).change_record(IMAGE, approve)
    assert read_data(tmp_path)["digests.txt"].splitlines() == [
        "# the article's",
        f"{REPOSITORY}@{digest('20260509')}  # patched from {IMAGE} on 20260509",
        f"{REPOSITORY}@{digest('article')}  # patched from {IMAGE} on 20260509",
        of_script,
        "no line at all",
    ]
    world = make_store(tmp_path).read()[0]
    for held in ("old", "article", "20260509"):
        assert f"{REPOSITORY}@{digest(held)}" in {
            f"{each.repository}@{each.digest}" for each in world.repositories[REPOSITORY].approvals_by_digest.values()
        }


def test_a_record_under_a_mirrors_name_is_found_and_gets_its_own_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        image_list("nginx:1", mirrors="mirror.gcr.io = docker.io"),
        records({"mirror.gcr.io/library/nginx:1": record(first_seen=hours_ago(70))}),
    )
    key = "docker.io/library/nginx:1"
    written = make_store(tmp_path).change_record(key, lambda before: fail(before, key))
    assert f"{written.first_seen:%Y-%m-%dT%H:%M:%SZ}" == hours_ago(70)
    assert list(read_part(tmp_path).records) == [key]


def test_a_wrong_policy_or_no_list_stops_the_run_at_its_start(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    with pytest.raises(SourceError, match="holds no ConfigMap copa-image-list"):
        store.load()
    write(tmp_path, image_list(IMAGE, "not an image", severity_threshold="SEVERE", platforms="amd64"))
    with pytest.raises(SourceError, match=r"severity_threshold: 'SEVERE' is wrong.*platforms: 'amd64' is wrong"):
        store.load()
    write(tmp_path, image_list(IMAGE, push_to="# where\ndocker.io"))
    with pytest.raises(SourceError, match="push_to line 2: write HOST"):
        store.load()
    write(tmp_path, image_list(IMAGE, "not an image"))
    assert store.load().images == 1
    with pytest.raises(SourceError, match="name a directory"):
        make_store(tmp_path / "nowhere").load()


def test_a_directory_that_cannot_be_written_fails_the_image(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be locked: No such file"):
        make_store(tmp_path / "nowhere").change_record(IMAGE, fail)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path, records({IMAGE: record()}))
    content = read_data(tmp_path)
    script = f"""
import resource, signal
from patchgate.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
try:
    store.change_record({IMAGE!r}, fail)
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""
    writer = run_writer(tmp_path, script)
    assert "copa-patched-digests.yaml cannot be written: File too large" in writer.communicate(timeout=WAIT_SECONDS)[0]
    assert read_data(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == ["copa-patched-digests.yaml"]


def test_a_file_that_cannot_be_edited_in_place_fails_the_image_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: copa-patched-digests}, data: &same {records.json: ''}}\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: other}, data: *same}\n",
        encoding="utf-8",
    )
    content = file.read_bytes()
    with pytest.raises(StoreError, match=r"all\.yaml: copa-patched-digests cannot be edited in place"):
        make_store(tmp_path).change_record(IMAGE, fail)
    assert file.read_bytes() == content


@pytest.mark.parametrize("content", [b"\xff copa-patched-digests", None])
def test_a_file_that_nobody_can_read_is_never_taken_for_no_records(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.yaml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"may be in a\.yaml: cannot be read"):
        make_store(tmp_path).change_record(IMAGE, fail)


def test_records_beside_what_only_the_gate_can_read_are_not_written_over(tmp_path: Path) -> None:
    write(tmp_path, records({IMAGE: record(), f"{REPOSITORY}:2": record()}))
    file = tmp_path / "copa-patched-digests.yaml"
    number = "9" * 5000  # in a field that we do not know: Python takes no integer of over 4,300 digits
    file.write_text(file.read_text("utf-8").replace('{\\"schema', f'{{\\"theirs\\": {number}, \\"schema'), "utf-8")
    content = file.read_bytes()
    assert set(read_part(tmp_path).records) == {IMAGE, f"{REPOSITORY}:2"}
    with pytest.raises(StoreError, match="its record is in copa-patched-digests, which is not to be read"):
        make_store(tmp_path).change_record(IMAGE, fail)
    assert file.read_bytes() == content


def test_a_change_never_becomes_another_images_record(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"became one of b\.io/b:1"):
        make_store(tmp_path).change_record(IMAGE, lambda before: fail(before, "b.io/b:1"))


def test_a_new_file_never_takes_the_place_of_one_that_holds_something_else(tmp_path: Path) -> None:
    file = tmp_path / "copa-patched-digests.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n", encoding="utf-8")
    make_store(tmp_path).change_record(IMAGE, fail)
    assert "other" in file.read_text(encoding="utf-8")
    assert make_store(tmp_path).read()[0].generation == 1


def test_the_end_of_a_run_that_cannot_be_noted_is_said(tmp_path: Path) -> None:
    write(tmp_path, *(records(schema=2, name=name) for name in NAMES.all_records))
    with pytest.raises(StoreError, match="has schema 2"):
        make_store(tmp_path).finish_run(NOW)


def test_a_file_reached_by_a_link_is_replaced_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    write(tmp_path / "there", records())
    link = tmp_path / "records.yaml"
    link.symlink_to("there/copa-patched-digests.yaml")
    make_store(tmp_path).change_record(IMAGE, fail)
    assert link.is_symlink()
    assert IMAGE in read_part(tmp_path / "there").records


def test_the_end_of_a_run_is_noted_and_records_go_thirty_days_after_their_list_line(tmp_path: Path) -> None:
    fresh = {"updated": hours_ago(31 * 24), "verified": hours_ago(1)}
    by_key = {
        IMAGE: record(updated=hours_ago(31 * 24)),
        f"{REPOSITORY}:0.9": record(updated=hours_ago(31 * 24)),
        f"{REPOSITORY}:1.0": record(updated=hours_ago(29 * 24)),
        f"{REPOSITORY}:1.1": patched(f"{REPOSITORY}:1.1-patched-20260509", **fresh),
        f"{REPOSITORY}:2.0": record(updated=hours_ago(31 * 24)),
    }
    gone = {"gone.io/gone:1": record(updated=hours_ago(31 * 24))}
    lists = (image_list(IMAGE), team_list(f"{REPOSITORY}:2.*"))
    write(tmp_path, *lists, records(by_key), records(gone, name="copa-patched-digests-1"))
    make_store(tmp_path).finish_run(NOW)
    part, other = read_part(tmp_path), read_part(tmp_path, "copa-patched-digests-1")
    assert set(part.records) == {IMAGE, f"{REPOSITORY}:1.0", f"{REPOSITORY}:1.1", f"{REPOSITORY}:2.0"}
    assert (part.last_run, part.generation) == (NOW, 2)
    assert other.records == {}
    assert f"{other.last_run:%Y-%m-%dT%H:%M:%SZ}" == hours_ago(1)


@pytest.mark.parametrize("lines", [("not an image",), (), (f"{REPOSITORY}:9.9", "registry.example.com/myapp/api:9 9")])
def test_nothing_goes_while_a_list_cannot_be_read_whole(tmp_path: Path, lines: tuple[str, ...]) -> None:
    old = {"gone.io/gone:1": record(updated=hours_ago(40 * 24))}
    write(tmp_path, image_list(*lines), records(old))
    make_store(tmp_path).finish_run(NOW)
    assert set(read_part(tmp_path).records) == {"gone.io/gone:1"}
    (tmp_path / "team.yaml").write_text("kind: [", encoding="utf-8")
    write(tmp_path, image_list(IMAGE))
    make_store(tmp_path).finish_run(NOW)
    assert set(read_part(tmp_path).records) == {"gone.io/gone:1"}


def test_threads_of_several_stores_lose_no_write(tmp_path: Path) -> None:
    write(tmp_path, image_list(IMAGE))
    stores = [make_store(tmp_path) for _ in range(2)]

    def change(number: int) -> None:
        key = f"{REPOSITORY}:{number % 20}"
        stores[number % 2].change_record(key, lambda before: count(before, key))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(100)))
    part = read_part(tmp_path)
    assert [record.message for record in part.records.values()] == ["5"] * 20
    assert part.generation <= 100, "those that wait are written at once"


def count(before: Record | None, key: str) -> Record:
    return fail(before, key, str(int(before.message) + 1 if before else 1))


WRITER = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.patcher.test_directory_store import REPOSITORY, count, fail, make_store

store = make_store(Path(sys.argv[1]))
"""


def run_writer(directory: Path, script: str) -> subprocess.Popen[str]:
    command = [*die_with_parent(), sys.executable, "-c", WRITER + script, str(directory)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_hundred_writes_of_four_processes_are_all_there(tmp_path: Path) -> None:
    write(tmp_path, image_list(IMAGE))
    script = """
for number in range(50):
    key = f"{REPOSITORY}:{number % 10}"
    store.change_record(key, lambda before: count(before, key))
"""
    writers = [run_writer(tmp_path, script) for _ in range(4)]
    said = [writer.communicate(timeout=WAIT_SECONDS)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, said
    part = read_part(tmp_path)
    assert {key: record.message for key, record in part.records.items()} == {
        f"{REPOSITORY}:{number}": "20" for number in range(10)
    }
    assert part.generation == 200


@pytest.mark.parametrize("call", ["os.fsync", "Path.replace"])
def test_a_writer_killed_before_the_file_is_replaced_leaves_what_was_there(tmp_path: Path, call: str) -> None:
    write(tmp_path, image_list(IMAGE), records({IMAGE: patched(f"{IMAGE}-patched-20260509")}))
    content = read_data(tmp_path)
    script = f"""
import os, signal
{call} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
store.change_record({IMAGE!r}, fail)
"""
    writer = run_writer(tmp_path, script)
    said = writer.communicate(timeout=WAIT_SECONDS)[0]
    assert writer.returncode == -signal.SIGKILL, said
    assert read_data(tmp_path) == content
    store = make_store(tmp_path)
    assert store.load().generation == 1
    assert store.change_record(IMAGE, fail).approved is not None  # its lock went with it
    assert not list(tmp_path.glob(".*.part"))


def test_a_tag_is_held_by_one_at_a_time_and_others_are_not_kept_from_theirs(tmp_path: Path) -> None:
    stores, inside, most = [make_store(tmp_path) for _ in range(2)], 0, 0
    guard = threading.Lock()

    def hold(number: int) -> None:
        nonlocal inside, most
        with stores[number % 2].hold_tag(f"{IMAGE}-patched-20260509", WAIT_SECONDS):
            with guard:
                inside += 1
                most = max(most, inside)
            with stores[0].hold_tag(f"{IMAGE}-other-{number}", 0):
                stores[0].change_record(IMAGE, fail)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hold, range(24)))
    assert most == 1
    assert list((tmp_path / ".patchgate").iterdir()) == []


def test_a_tag_that_another_holds_is_refused_once_the_limit_is_over(tmp_path: Path) -> None:
    with (
        make_store(tmp_path).hold_tag("a.io/a:1", 0),
        pytest.raises(HeldError, match="another patcher has held"),
        make_store(tmp_path).hold_tag("a.io/a:1", 0),
    ):
        pytest.fail("held twice")


def test_a_tag_that_a_killed_run_held_is_free(tmp_path: Path) -> None:
    script = """
import os, signal
with store.hold_tag("a.io/a:1", 0):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    writer = run_writer(tmp_path, script)
    writer.communicate(timeout=WAIT_SECONDS)
    assert writer.returncode == -signal.SIGKILL
    with make_store(tmp_path).hold_tag("a.io/a:1", WAIT_SECONDS):
        assert len(list((tmp_path / ".patchgate").iterdir())) == 1


def test_a_clean_image_is_written_and_the_gate_admits_it(tmp_path: Path) -> None:
    write(tmp_path, image_list(IMAGE))
    store = make_store(tmp_path)
    seen = attempt(manifest("source"), is_vulnerable=False)
    store.change_record(IMAGE, lambda before: record_clean(before, seen, "nothing to fix", NOW))
    assert verdict(IMAGE, store.load()).reason is Reason.APPROVED
    assert "# clean" in read_data(tmp_path)["digests.txt"]


def test_a_lock_that_others_hold_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    with (
        lock_directory(tmp_path, 1.0),
        pytest.raises(StoreError, match=r"another patcher has held .* for 0\.1 s"),
        lock_directory(tmp_path, 0.1),
    ):
        pass
    with lock_name(tmp_path, "a.io/a:1", 1.0):
        with pytest.raises(StoreError, match=r"has held a\.io/a:1 for"), lock_name(tmp_path, "a.io/a:1", 0.1):
            pass
        with lock_name(tmp_path, "a.io/a:2", 0.1):
            pass
    with pytest.raises(StoreError, match="cannot be locked"), lock_name(tmp_path / "no" / "where", "a.io/a:1", 0.1):
        pass
