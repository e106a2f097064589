"""Debian's packages that groups of tests need: `python -m tools.debian GROUP…` installs those that are missing.

It does so as root on Debian; elsewhere it says what is missing and exits 1. A service that comes with a package is
not started.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tools.cache import find_cache, lock

PACKAGES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "browser": ("chromium", "fonts-dejavu-core", "fonts-inter", "fonts-jetbrains-mono"),
        "node": (
            "busybox-static",
            "containerd",
            "containernetworking-plugins",
            "docker-registry",
            "iproute2",
            "iptables",
            "libcap2-bin",
            "mmdebstrap",
            "procps",
            "rootlesskit",
            "runc",
            "skopeo",
            "uidmap",
            "util-linux",
        ),
        "patch": ("docker-registry", "mmdebstrap", "runc", "skopeo", "util-linux"),
        "prometheus": ("prometheus",),
    }
)
"""Group of tests → packages whose programs it runs."""
_APT_GET: Final = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600")  # seconds: another run may be installing
_POLICY: Final = Path("/usr/sbin/policy-rc.d")  # asked before a service is started: invoke-rc.d(8)
_REFUSE_ALL: Final = "#!/bin/sh\nexit 101\n"


class InstallError(Exception):
    """A package could not be installed; the text says which and why."""


def find_missing(packages: Sequence[str]) -> list[str]:
    """Find which of the packages are not installed here; all, where this is not Debian."""
    return [package for package in packages if not _is_installed(package)]


def can_install() -> bool:
    """Whether this is root on Debian."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install packages, and start no service of theirs.

    Raises:
        InstallError: apt-get could not.
    """
    command = [*_APT_GET, "install", "--no-install-recommends", *packages]
    with lock(find_cache() / "debian"), _no_service_starts():
        if _run(command).returncode:
            _run([*_APT_GET, "update"])  # a new machine has no lists, an old one has old lists
            done = _run(command)
            if done.returncode:
                raise InstallError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")


def _is_installed(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    done = _run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package])
    return done.stdout == "installed"


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    if _POLICY.exists():  # the machine's own policy stands
        yield
        return
    _POLICY.write_text(_REFUSE_ALL, encoding="utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def main() -> int:
    """Install what the groups of the command line need; exit 1 if something stays missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.debian", description="Install Debian's packages for tests.")
    parser.add_argument("groups", nargs="+", choices=sorted(PACKAGES))
    parser.add_argument("--is-ready", action="store_true", help="install nothing: exit 0 if it could, else 1")
    arguments = parser.parse_args()
    if arguments.is_ready:
        return 0 if can_install() else 1
    missing = find_missing([package for group in arguments.groups for package in PACKAGES[group]])
    if not missing:
        return 0
    if not can_install():
        print(f"Missing: {' '.join(missing)}. Where you are root on Debian, this installs them.", file=sys.stderr)
        return 1
    print(f"Installing {' '.join(missing)} (once)", flush=True)
    try:
        install(missing)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
