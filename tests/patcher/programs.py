"""Programs of the tests' own in the place of Trivy and Copa: real processes, for what the real ones do seldom."""

import stat
import threading
from collections.abc import Mapping
from pathlib import Path

from patchgate.patcher.finding import Finding, Report
from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.room import Rooms
from patchgate.policy.policy import Severity

PATH = "/usr/bin:/bin"


def write_program(directory: Path, name: str, script: str) -> str:
    """Write a shell script that notes its arguments and environment beside it, and then does as the test says."""
    program = directory / name
    notes = f'printf "%s\\n" "$@" >> {directory}/{name}.arguments\nenv >> {directory}/{name}.environment\n'
    program.write_text(f"#!/bin/sh\n{notes}{script}\n")
    program.chmod(stat.S_IRWXU)
    return str(program)


def make_rooms(directory: Path, environment: Mapping[str, str]) -> Rooms:
    """Rooms with the logins of a docker config in the directory."""
    return Rooms(directory, environment, Credentials(directory / "docker", {}, threading.Event()).write)


def read_arguments(program: str) -> list[str]:
    return Path(f"{program}.arguments").read_text().splitlines()


def read_environment(program: str) -> dict[str, str]:
    lines = Path(f"{program}.environment").read_text().splitlines()
    return {name: text for name, _, text in (line.partition("=") for line in lines)}


FINDING = Finding("CVE-2026-0001", "libexpat1", "2.5.0-1", "2.5.0-2", Severity.HIGH)


def make_report(file: Path, *findings: Finding, platform: str = "linux/amd64", os_family: str = "debian") -> Report:
    return Report(platform, os_family, "12.5", is_end_of_life=False, findings=findings, library_findings=0, file=file)
