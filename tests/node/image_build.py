"""Images from a Dockerfile, by the real BuildKit, into the node's registry; and what they start from."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.patch.buildkit import BuildKit
from tests.patch.debian_suites import read_suites, run
from tests.patch.oci_layout import SETTINGS, write_layout
from tests.patch.registry import Registry
from tests.patch.root_filesystem import make_root_filesystem
from tools.cache import find_cache

PYTHON: Final = "python:amd64"
_PYTHON_ROOT: Final = "python-root:tests"
_PYTHON_PACKAGES: Final = ("ca-certificates", "python-is-python3", "python3", "python3-pip", "python3-venv")
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")  # Debian's, to which a machine may have added its own
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PIP: Final = ("index-url", "extra-index-url", "trusted-host")
_BUILD_SECONDS: Final = 900.0


@dataclass(frozen=True)
class Builder:
    """Builds into one registry.

    Attributes:
        buildctl: BuildKit's client.
        folder: for what it is given.
        seconds: that a build may take.
    """

    buildctl: Path
    buildkit: BuildKit
    registry: Registry
    folder: Path
    seconds: float = _BUILD_SECONDS

    def name(self, image: str) -> str:
        """Name an image of the registry as BuildKit reaches it."""
        return f"{self.registry.address}/{image}"

    def build(self, image: str, context: Path, build: "Build") -> None:
        """Build a Dockerfile and push what comes of it under the registry's REPOSITORY:TAG. context: the folder."""
        command = [str(self.buildctl), f"--addr={self.buildkit.address}", "build", "--frontend=dockerfile.v0"]
        command += [f"--local=context={context}", f"--local=dockerfile={build.dockerfile or context}", *build.flags()]
        command += [f"--output=type=image,name={self.name(image)},push=true"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=self.seconds, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]

    def push_debian(self, image: str, packages: Sequence[str]) -> None:
        """Push a Debian with these packages under the registry's REPOSITORY:TAG, to be built upon."""
        root = make_root_filesystem(find_cache(), read_suites(), packages)
        repository, tag = image.split(":")
        layout = write_layout(self.folder / repository, root, settings={**SETTINGS, "User": "0"})
        self.registry.push(layout, repository, tag)

    def make_python(self) -> None:
        """Make PYTHON: Debian's Python with pip, which finds its index, and trusts it, as this machine does."""
        self.push_debian(_PYTHON_ROOT, _PYTHON_PACKAGES)
        context = self.folder / "python"
        context.mkdir()
        shutil.copyfile(CERTIFICATES, context / CERTIFICATES.name)
        lines = [f"FROM {self.name(_PYTHON_ROOT)}", f"COPY {CERTIFICATES.name} {CERTIFICATES}"]
        lines += [f"ENV {name}={value}" for name, value in _read_pip_settings().items()]
        (context / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
        self.build(PYTHON, context, Build())


@dataclass(frozen=True)
class Build:
    """What a build is told beside its context.

    Attributes:
        dockerfile: the folder of its Dockerfile, where that is not the context.
        target: the stage; the last without one.
        arguments: build arguments.
        platforms: of the image; where BuildKit runs without one.
        contexts: name of a stage or an image → folder that takes its place.
    """

    dockerfile: Path | None = None
    target: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Path] = field(default_factory=dict)
    platforms: Sequence[str] = ()

    def flags(self) -> list[str]:
        """Give buildctl's flags."""
        proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        flags = [f"--opt=target={self.target}"] if self.target else []
        flags += [f"--opt=platform={','.join(self.platforms)}"] if self.platforms else []
        flags += [f"--opt=build-arg:{name}={value}" for name, value in {**proxies, **self.arguments}.items()]
        for name, folder in self.contexts.items():
            flags += [f"--opt=context:{name}=local:{name}", f"--local={name}={folder}"]
        return flags


def _read_pip_settings() -> dict[str, str]:
    """Read where this machine's pip has its packages from, as environment variables of pip."""
    said = run(sys.executable, "-m", "pip", "config", "list")
    pairs = (line.partition("=") for line in said.splitlines())
    found = {name.rpartition(".")[2]: value.strip("'") for name, _, value in pairs}
    settings = {f"PIP_{name.replace('-', '_').upper()}": f'"{found[name]}"' for name in _PIP if name in found}
    return settings | {"PIP_CERT": str(CERTIFICATES)}
