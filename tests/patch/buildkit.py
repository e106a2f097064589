"""BuildKit on a socket, as root, in a mount namespace of its own: whatever ends it, nothing stays mounted."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.plane.program import Program

OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private", "--")
MIRRORED = ("docker.io", "ghcr.io")  # where Copa has its tooling images from
SETTINGS = """\
root = "{folder}/state"
[grpc]
  address = ["{address}"]
[worker.oci]
  enabled = true
  snapshotter = "{snapshotter}"
  networkMode = "host"
  gc = true
  maxUsedSpace = "4GB"
  {worker}
[worker.containerd]
  enabled = false
"""


@dataclass(frozen=True, slots=True)
class BuildKit:
    """A running buildkitd.

    Attributes:
        program: to be ended and started by a test that has one of its own.
        client: buildctl.
    """

    address: str
    program: Program
    client: Path

    def list_builds(self) -> set[str]:
        """List the builds that it remembers, its last fifty; one that was asked for and failed is one too."""
        command = [str(self.client), "--addr", self.address, "debug", "histories", "--format", "{{.Record.Ref}}"]
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@contextlib.contextmanager
def run_buildkit(  # noqa: PLR0917 -- all that it needs
    programs: Path,
    folder: Path,
    registries: Sequence[str],
    mirror: str,
    own: Sequence[str] = OWN_MOUNTS,
    worker: str = "",
) -> Iterator[BuildKit]:
    """Run one until the block ends.

    programs: the folder with buildkitd and buildctl. registries: host:port of those that speak plain HTTP. mirror: the
    one of them that stands for the registries of Copa's tooling images. own: the words before its command. worker: a
    further line of its worker's settings.
    """
    # A socket's path may have 107 bytes (unix(7)), and pytest's folders have long names.
    with tempfile.TemporaryDirectory(prefix="patchgate-buildkit-") as short:
        address = f"unix://{short}/buildkitd.sock"
        configuration = folder / "buildkitd.toml"
        configuration.write_text(_configure(folder, address, registries, mirror, worker), encoding="utf-8")
        command = [*own, str(programs / "buildkitd"), "--config", str(configuration)]
        ask = [str(programs / "buildctl"), "--addr", address, "debug", "workers"]
        program = Program(
            command,
            folder / "buildkitd.log",
            lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0,
        )
        try:
            with program.running():
                yield BuildKit(address, program, programs / "buildctl")
        finally:
            shutil.rmtree(folder / "state", ignore_errors=True)  # gigabytes, of use to nobody


def _configure(folder: Path, address: str, registries: Sequence[str], mirror: str, worker: str) -> str:
    snapshotter = "overlayfs" if _has_overlay(folder) else "native"
    lines = [SETTINGS.format(folder=folder, address=address, snapshotter=snapshotter, worker=worker)]
    lines += [f"[registry.{json.dumps(registry)}]\n  http = true\n" for registry in registries]
    lines += [f"[registry.{json.dumps(name)}]\n  mirrors = [{json.dumps(mirror)}]\n" for name in MIRRORED]
    return "".join(lines)


def _has_overlay(folder: Path) -> bool:
    """Whether overlayfs can be mounted here: not on another overlayfs, which many containers have for a root."""
    layers = [folder / "overlay" / name for name in ("lower", "upper", "work", "merged")]
    for layer in layers:
        layer.mkdir(parents=True)
    options = ",".join(f"{layer.name}dir={layer}" for layer in layers[:3])
    mount = [*OWN_MOUNTS, "mount", "-t", "overlay", "overlay", "-o", options, str(layers[3])]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0
