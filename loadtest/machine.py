"""Says on what it was measured."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from loadtest.peers.build import build_controller_runtime, describe_build
from loadtest.servers import find_program


def describe_machine() -> str:
    """Describe processor, system and Python."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")
    cores = os.cpu_count()  # whichever of them this process is bound to
    return f"{model}, {cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def describe_programs() -> str:
    """Describe what the gate is made of, and what it is measured beside and with."""
    ours = ", ".join(f"{name} {version(name)}" for name in ("patchgate", "uvicorn", "httptools", "uvloop", "pydantic"))
    shown = subprocess.run([find_program("wrk"), "-v"], capture_output=True, text=True, check=False).stdout
    wrk = (shown.split() or ["", "?"])[1].removeprefix("debian/")
    return f"{ours}; {describe_build(build_controller_runtime())}; wrk {wrk}"
