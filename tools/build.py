"""Builds the pinned programs: `python -m tools.build [NAME…]`, each once, into CACHE/tools/NAME/KEY.

KEY stands for everything that is built from, so a changed pin is another folder and an old branch keeps its own. A
folder appears whole or not at all; two runs at once build one after the other, and the second finds it done.
"""

import argparse
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from tools.cache import find_cache, lock
from tools.go import BuildError, get_go, run
from tools.modules import MODULES, Module

_BUILDING: Final = "building-"
_FLAGS: Final = ("-mod=readonly", "-buildvcs=false", "-trimpath")
_SETTINGS: Final = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}  # the pins decide, not the user's own


def find_programs(module: Module, cache: Path) -> Path | None:
    """Find the folder with the module's programs; None where they are not built."""
    folder = _name_folder(module, cache)
    return folder if folder.is_dir() else None


def build(module: Module, cache: Path) -> Path:
    """Build the module's programs unless they are there; give their folder.

    Sources come through the Go module proxy and are checked against go.sum.

    Raises:
        BuildError: a program could not be built.
    """
    folder = _name_folder(module, cache)
    if not folder.is_dir():
        go = get_go(cache)
        with lock(folder.parent):
            if not folder.is_dir():
                _build_into(folder, module, go)
    return folder


def read_go_version(folder: Path) -> str:
    """Read which Go the programs of a folder were built with, such as 1.26.6."""
    return (folder / "go-version").read_text(encoding="utf-8").split()[2].removeprefix("go")


def _name_folder(module: Module, cache: Path) -> Path:
    sources = [module.folder / "go.mod", module.folder / "go.sum", *sorted(module.folder.glob("*.go"))]
    built_from = [platform.system(), platform.machine(), *_FLAGS, *map(str, _SETTINGS.items()), module.linker_flags]
    built_from += [*map(str, (*module.environment.items(), *module.programs.items(), *module.files.items()))]
    built_from += [*(file.read_text(encoding="utf-8") for file in sources)]
    return cache / "tools" / module.name / hashlib.sha256("\0".join(built_from).encode()).hexdigest()[:16]


def _build_into(folder: Path, module: Module, go: Path) -> None:
    for left in folder.parent.glob(f"{_BUILDING}*"):  # by a run that was killed: we hold the lock
        shutil.rmtree(left)
    environment = {**os.environ, **_SETTINGS, **module.environment}
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=folder.parent) as scratch:
        whole = Path(scratch) / "whole"
        for name, package in module.programs.items():
            print(f"Building {name} {module.version} (once; may take minutes)", flush=True)
            command = [str(go), "build", *_FLAGS, "-ldflags", module.linker_flags, "-o", str(whole / name), package]
            run(command, environment, cwd=module.folder)
        for name, path in module.files.items():
            where = run([go, "list", "-m", "-f", "{{.Dir}}", module.upstream], environment, cwd=module.folder)
            _copy(Path(where.strip()) / path, whole / name)
        (whole / "go-version").write_text(run([go, "version"], environment), encoding="utf-8")
        whole.rename(folder)


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a folder without their modes: Go keeps sources so that nobody can delete them."""
    for file in source.rglob("*"):
        if file.is_file():
            copied = target / file.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)


def main() -> int:
    """Build what the command line names; exit 1 if it cannot be built, or with --is-built, if it is not."""
    by_name = {module.name: module for module in MODULES}
    parser = argparse.ArgumentParser(prog="python -m tools.build", description="Build the pinned programs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(by_name)}; all without one")
    parser.add_argument("--is-built", action="store_true", help="build nothing: exit 0 if all are built, else 1")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - by_name.keys():
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    modules = [by_name[name] for name in arguments.names or by_name]
    cache = find_cache()
    if arguments.is_built:
        return 0 if all(find_programs(module, cache) for module in modules) else 1
    try:
        for module in modules:
            print(f"{module.name} {module.version}: {build(module, cache)}", flush=True)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
