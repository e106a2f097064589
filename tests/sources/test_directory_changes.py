"""A directory that changes: what is read again, what stays as it was last good, and who is told of a change."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import load_documents
from patchgate.errors import SourceError
from patchgate.sources.directory import DirectorySource
from tests.plain_user import as_a_plain_user

BOUND_SECONDS = 60.0


def configmap(name: str, value: str = "one") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value}}}\n"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@dataclass
class Kept:
    """What a directory holds, kept in step as a follower does."""

    source: DirectorySource
    values: dict[str, str] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def look(self) -> None:
        self.taken.clear()
        reading = self.source.read(self.take)
        self.values = {name: value for name, value in self.values.items() if name in reading.names}
        self.problems = [str(problem) for problem in reading.problems]

    def take(self, configmap: ConfigMap) -> None:
        self.taken.append(configmap.name)
        self.values[configmap.name] = configmap.data["key"]


def keep(directory: Path) -> Kept:
    kept = Kept(DirectorySource(directory))
    kept.look()
    return kept


def test_only_a_file_that_changed_is_handed_over_again(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    write(tmp_path / "b.yaml", configmap("b"))
    kept = keep(tmp_path)
    assert kept.taken == ["a", "b"]
    kept.look()
    assert kept.taken == []
    write(tmp_path / "b.yaml", configmap("b", "changed"))
    kept.look()
    assert (kept.taken, kept.values) == (["b"], {"a": "one", "b": "changed"})


def test_what_is_forgotten_is_handed_over_again_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    write(tmp_path / "b.yaml", configmap("b"))
    kept = keep(tmp_path)
    kept.source.forget(["b", "never heard of"])
    kept.look()
    assert kept.taken == ["b"]


def test_of_one_name_in_two_files_the_second_counts_once_the_first_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("same", "first"))
    write(tmp_path / "b.yaml", configmap("same", "second"))
    kept = keep(tmp_path)
    assert (kept.values, kept.problems) == ({"same": "first"}, ["b.yaml: same stands in a.yaml too, which counts"])
    (tmp_path / "a.yaml").unlink()
    kept.look()
    assert (kept.values, kept.problems) == ({"same": "second"}, [])
    write(tmp_path / "a.yaml", configmap("same", "first again"))
    kept.look()
    assert (kept.values, len(kept.problems)) == ({"same": "first again"}, 1)


def replace_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


BREAKS: list[Callable[[Path], object]] = [
    lambda path: write(path, configmap("b")[:-3]),
    lambda path: path.write_bytes(b"\xc3("),
    replace_by_a_directory,
    replace_by_a_link_to_nowhere,
]


@pytest.mark.parametrize("break_it", BREAKS, ids=["truncated", "not UTF-8", "a directory", "a link to nowhere"])
def test_a_file_that_breaks_keeps_what_it_last_held_and_is_reported(
    tmp_path: Path, break_it: Callable[[Path], object]
) -> None:
    path = tmp_path / "b.yaml"
    write(path, configmap("b"))
    kept = keep(tmp_path)
    break_it(path)
    for _ in range(2):
        kept.look()
        assert kept.values == {"b": "one"}
        assert len(kept.problems) == 1
        assert kept.problems[0].startswith("b.yaml: cannot be read: ")
        assert kept.problems[0].endswith("; what it last held stays in force")
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    write(path, configmap("b", "mended"))
    kept.look()
    assert (kept.values, kept.problems) == ({"b": "mended"}, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "apiVersion: v1\n",
        "apiVersion: v1\nkind: ConfigMap\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
        configmap("a").replace("ConfigMap", "Secret"),
    ],
    ids=["empty", "up to its version", "up to its kind", "without its name", "of another kind"],
)
def test_yaml_that_is_no_configmap_any_more_keeps_what_the_file_last_held(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    kept = keep(tmp_path)
    write(tmp_path / "a.yaml", text)
    kept.look()
    assert kept.values == {"a": "one"}
    assert len(kept.problems) == 1


def test_a_file_that_is_gone_takes_its_configmaps_with_it(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    kept = keep(tmp_path)
    (tmp_path / "a.yaml").unlink()
    kept.look()
    assert (kept.values, kept.problems) == ({}, [])


def test_a_broken_file_keeps_what_it_held_while_the_directory_is_away_as_well(tmp_path: Path) -> None:
    directory = tmp_path / "configmaps"
    directory.mkdir()
    write(directory / "a.yaml", configmap("a"))
    kept = keep(directory)
    write(directory / "a.yaml", "data: {")
    kept.look()
    directory.rename(tmp_path / "away")
    with pytest.raises(SourceError):
        kept.look()
    (tmp_path / "away").rename(directory)
    kept.look()
    assert kept.values == {"a": "one"}


def test_what_a_directory_that_is_away_held_can_be_forgotten(tmp_path: Path) -> None:
    directory = tmp_path / "configmaps"
    directory.mkdir()
    write(directory / "a.yaml", configmap("a"))
    kept = keep(directory)
    directory.rename(tmp_path / "away")
    with pytest.raises(SourceError):
        kept.look()
    kept.source.forget(["a"])
    (tmp_path / "away").rename(directory)
    kept.look()
    assert (kept.taken, kept.values) == (["a"], {"a": "one"})


def test_what_was_being_taken_when_that_failed_can_be_forgotten(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    write(tmp_path / "b.yaml", configmap("b"))
    kept = keep(tmp_path)
    write(tmp_path / "a.yaml", configmap("a", "changed"))

    def fail(configmap: ConfigMap) -> None:
        raise ZeroDivisionError(configmap.name)

    with pytest.raises(ZeroDivisionError):
        kept.source.read(fail)
    kept.source.forget(["a"])
    kept.look()
    assert kept.values == {"a": "changed", "b": "one"}


def test_a_file_finished_while_its_first_half_was_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    write(path, "data: {key: [")

    def finish_it_meanwhile(text: str) -> list[object]:
        write(path, configmap("a"))
        return load_documents(text)

    with monkeypatch.context() as patch:
        patch.setattr("patchgate.sources.directory.load_documents", finish_it_meanwhile)
        kept = keep(tmp_path)
    assert len(kept.problems) == 1
    kept.look()
    assert (kept.values, kept.problems) == ({"a": "one"}, [])


def test_a_file_rewritten_in_the_same_tick_of_the_clock_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(path, configmap("a", "one"))
    kept = keep(tmp_path)
    status = path.stat()
    write(path, configmap("a", "two"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # file systems count in ticks: 4 ms, some 1 s
    kept.look()
    assert kept.values == {"a": "two"}


def test_a_file_that_may_be_read_again_is_read_again() -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        directory.chmod(0o755)
        write(directory / "a.yaml", configmap("a"))
        (directory / "a.yaml").chmod(0)
        kept = Kept(DirectorySource(directory))
        with as_a_plain_user():
            kept.look()
        assert kept.problems == ["a.yaml: cannot be read: Permission denied"]
        (directory / "a.yaml").chmod(0o644)
        with as_a_plain_user():
            kept.look()
        assert (kept.values, kept.problems) == ({"a": "one"}, [])
    finally:
        shutil.rmtree(directory)


async def hear_once(changes: AsyncIterator[None], change: Callable[[], object]) -> None:
    """Hear of a change, within a bound; what was told of before is passed over."""
    word = asyncio.ensure_future(anext(changes))
    for _ in range(3):
        if (await asyncio.wait([word], timeout=0.3))[0]:
            word = asyncio.ensure_future(anext(changes))
    async with asyncio.timeout(BOUND_SECONDS):
        while not word.done():
            change()  # again and again: nothing shows when a watch has begun
            await asyncio.wait([word], timeout=1)
    word.result()


def hear_of(directory: Path, *changes: Callable[[], object]) -> None:
    """Hear of each change, one after the other."""

    async def hear() -> None:
        words = DirectorySource(directory).changes()
        for change in changes:
            await hear_once(words, change)

    asyncio.run(hear())


@pytest.fixture
def _nobody_looks_without_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 3600)


def write_into(directory: Path) -> Callable[[], None]:
    return lambda: write(directory / "a.yaml", configmap("a"))


@pytest.mark.usefixtures("_nobody_looks_without_word")
@pytest.mark.parametrize("name", ["configmaps", "node_modules", ".git", "a~"])
def test_word_comes_from_a_directory_of_any_name(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    hear_of(directory, write_into(directory))


def move_away_and_back(directory: Path) -> None:
    directory.rename(directory.with_name("away"))
    directory.with_name("away").rename(directory)


def replace_by_another(directory: Path) -> None:
    directory.rename(directory.with_name("away"))
    directory.mkdir()


def delete_and_make_anew(directory: Path) -> None:
    directory.rmdir()
    directory.mkdir()


@pytest.mark.usefixtures("_nobody_looks_without_word")
@pytest.mark.parametrize("replace", [move_away_and_back, replace_by_another, delete_and_make_anew])
def test_word_goes_on_coming_from_a_directory_that_was_replaced(
    tmp_path: Path, replace: Callable[[Path], None]
) -> None:
    directory = tmp_path / "configmaps"
    directory.mkdir()
    hear_of(directory, lambda: replace(directory), write_into(directory))


def test_word_comes_without_a_change_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 1)
    hear_of(tmp_path, lambda: None)


def test_word_comes_again_and_again_while_the_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 0.05)
    hear_of(tmp_path / "gone", lambda: None)


class BrokenWatcher(AbstractContextManager["BrokenWatcher"]):
    """What watchfiles has when the kernel's watch breaks."""

    def __init__(self, *_: object) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def watch(self, *_: object) -> NoReturn:
        raise RuntimeError("error in underlying watcher")


def test_a_watch_that_breaks_is_no_end_of_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("watchfiles.main.RustNotify", BrokenWatcher)
    hear_of(tmp_path, lambda: None)


class EndingWatcher(BrokenWatcher):
    """One that says once that it was stopped; the next one breaks."""

    has_ended = False

    def watch(self, *_: object) -> str:  # type: ignore[override]
        if EndingWatcher.has_ended:
            raise RuntimeError("error in underlying watcher")
        EndingWatcher.has_ended = True
        return "stop"


def test_a_watch_that_ends_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("watchfiles.main.RustNotify", EndingWatcher)
    monkeypatch.setattr(EndingWatcher, "has_ended", False)
    hear_of(tmp_path, lambda: None)
    assert EndingWatcher.has_ended


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("a"))
    os.mkfifo(tmp_path / "b.yaml")
    kept = keep(tmp_path)
    assert (kept.values, kept.problems) == ({"a": "one"}, ["b.yaml: cannot be read: not a file"])


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "b.yaml").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    assert keep(tmp_path).problems == ["b.yaml: cannot be read: larger than 67108864 bytes"]


def test_a_file_whose_name_is_no_text_is_named_as_well_as_can_be(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.yaml")).write_text("kind: [", encoding="utf-8")
    (problem,) = keep(tmp_path).problems
    assert problem.startswith("bad�.yaml: cannot be read: not YAML")


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def test_what_is_taken_out_of_a_file_goes_though_the_file_holds_something_else_too(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    write(path, f"{NAMESPACE}---\n{configmap('team')}---\n{configmap('other')}")
    kept = keep(tmp_path)
    write(path, f"{NAMESPACE}---\n{configmap('other')}")
    kept.look()
    assert (kept.values, len(kept.problems)) == ({"other": "one"}, 1)


def test_what_a_broken_file_held_yields_to_a_file_that_holds_it(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", configmap("team"))
    write(tmp_path / "b.yaml", configmap("other"))
    kept = keep(tmp_path)
    write(tmp_path / "a.yaml", "kind: [")
    kept.look()
    write(tmp_path / "b.yaml", f"{configmap('other')}---\n{configmap('team', 'moved')}")
    kept.look()
    assert kept.values == {"other": "one", "team": "moved"}


def test_a_file_that_breaks_in_two_steps_keeps_what_it_held_when_it_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(path, f"{configmap('a')}---\n{configmap('b')}")
    kept = keep(tmp_path)
    for text in (f"{configmap('a')}---\nkind: ConfigMap\n", "kind: ConfigMap\n", ""):
        write(path, text)
        kept.look()
        assert (kept.values, len(kept.problems)) == ({"a": "one", "b": "one"}, 1)
    write(path, configmap("a"))
    kept.look()
    assert (kept.values, kept.problems) == ({"a": "one"}, [])


def test_word_comes_without_a_change_however_busy_the_neighbours_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchgate.sources.watch.LOOK_AGAIN_SECONDS", 1)
    directory = tmp_path / "configmaps"
    directory.mkdir()

    async def hear_beside_noise() -> None:
        words = DirectorySource(directory).changes()

        async def make_noise() -> None:
            while True:
                write(tmp_path / "noise", "x")
                await asyncio.sleep(0.1)

        noise = asyncio.create_task(make_noise())
        try:
            for _ in range(3):
                await asyncio.wait_for(anext(words), BOUND_SECONDS)
        finally:
            noise.cancel()

    asyncio.run(hear_beside_noise())
