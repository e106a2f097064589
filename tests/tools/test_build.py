"""The builder, on a Go module small enough for a test; it needs Go, as it is there to do."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.groups import is_ci, leave_out
from tools.build import build, find_programs, read_go_version
from tools.cache import find_cache
from tools.go import BuildError, get_go
from tools.modules import MODULES, Module

UPSTREAM = "example.com/upstream"
EXPERIMENT = '//go:build goexperiment.jsonv2\n\npackage main\n\nfunc init() { major = "experimental" }\n'
HELLO = 'package main\n\nvar version, major string\n\nfunc main() { println("hello", version, major) }\n'


@pytest.fixture(scope="module")
def go() -> Path:
    if not is_ci() and not shutil.which("go") and not (find_cache() / "go").is_dir():
        leave_out("Go is not here; make tools installs it")
    return get_go(find_cache())


@pytest.fixture
def cache(tmp_path: Path, go: Path) -> Path:
    """An empty cache, but for a Go that was installed before."""
    folder = tmp_path / "cache"
    folder.mkdir()
    if go.is_relative_to(find_cache()):
        (folder / "go").symlink_to(find_cache() / "go")
    return folder


@pytest.fixture
def module(tmp_path: Path) -> Module:
    folder = tmp_path / "hello"
    upstream = folder / "upstream/cmd/hello"
    upstream.mkdir(parents=True)
    (upstream / "main.go").write_text(HELLO)
    (folder / "upstream/go.mod").write_text(f"module {UPSTREAM}\n\ngo 1.26.0\n")
    (folder / "go.mod").write_text(
        f"module example.com/hello\n\ngo 1.26.0\n\ntool {UPSTREAM}/cmd/hello\n\n"
        f"require {UPSTREAM} v1.37.2\n\nreplace {UPSTREAM} => ./upstream\n"
    )
    (folder / "go.sum").touch()
    stamps = {"main.version": "{version}", "main.major": "{major}"}
    return Module(folder, UPSTREAM, {"hello": f"{UPSTREAM}/cmd/hello"}, stamps)


def run(program: Path) -> str:
    return subprocess.run([program], check=True, capture_output=True, text=True).stderr


def test_a_program_is_built_with_the_version_of_its_pin(module: Module, cache: Path) -> None:
    folder = build(module, cache)
    assert run(folder / "hello") == "hello v1.37.2 1\n"
    assert read_go_version(folder).startswith("1.")


def test_what_is_built_is_not_built_again(module: Module, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_programs(module, cache) is None
    first = build(module, cache)
    assert "Building hello v1.37.2" in capsys.readouterr().out
    assert build(module, cache) == first == find_programs(module, cache)
    assert not capsys.readouterr().out


def test_another_pin_or_another_stamp_is_built_beside_the_first(module: Module, cache: Path) -> None:
    first = build(module, cache)
    stamped = build(replace(module, stamps={"main.version": "{number}-test"}), cache)
    (module.folder / "go.mod").write_text((module.folder / "go.mod").read_text().replace("v1.37.2", "v1.37.3"))
    pinned = build(module, cache)
    assert [run(folder / "hello") for folder in (first, stamped, pinned)] == [
        "hello v1.37.2 1\n",
        "hello 1.37.2-test \n",
        "hello v1.37.3 1\n",
    ]


def test_what_go_is_told_for_a_module_is_part_of_what_is_built(module: Module, cache: Path) -> None:
    (module.folder / "upstream/cmd/hello/experiment.go").write_text(EXPERIMENT)
    plain = build(module, cache)
    told = build(replace(module, environment={"GOEXPERIMENT": "jsonv2"}), cache)
    assert [run(folder / "hello") for folder in (plain, told)] == ["hello v1.37.2 1\n", "hello v1.37.2 experimental\n"]


def test_a_build_that_fails_says_what_the_compiler_said_and_leaves_nothing(module: Module, cache: Path) -> None:
    (module.folder / "upstream/cmd/hello/main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(BuildError, match="undefined: undefined"):
        build(module, cache)
    assert find_programs(module, cache) is None
    assert [file.name for file in (cache / "tools/hello").iterdir()] == [".lock"]


def test_two_runs_at_once_build_once(module: Module, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: build(module, cache), range(2))
    assert first == second
    assert capsys.readouterr().out.count("Building hello") == 1


def test_what_a_killed_run_left_is_removed(module: Module, cache: Path) -> None:
    left = cache / "tools/hello/building-left"
    (left / "whole").mkdir(parents=True)
    build(module, cache)
    assert not left.exists()


def test_the_cache_is_where_it_was_asked_for() -> None:
    assert find_cache({"PATCHGATE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert find_cache({"XDG_CACHE_HOME": "/b"}) == Path("/b/patchgate")
    assert find_cache({}) == Path.home() / ".cache/patchgate"


@pytest.mark.parametrize("module_", MODULES, ids=lambda module: module.name)
def test_each_program_is_pinned_by_a_tool_line(module_: Module) -> None:
    pins = (module_.folder / "go.mod").read_text()
    assert module_.version.startswith("v")
    assert all(package in pins.partition("require")[0] for package in module_.programs.values())
