"""BuildKit as the chart has it run in a Pod with `hostUsers: false`, by the real runc, without a kubelet.

Debian's containerd and runc are too old for this (Kubernetes asks for containerd 2 and runc 1.2), but runc
makes the same namespaces, ids and mounts from a configuration.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chart.rendering import Object
from tests.patch.buildkit import OWN_MOUNTS

_SCRIPT: Final = Path(__file__).with_name("user_namespace.sh")
_FIRST_ID: Final = 1_000_000
_IDS: Final = 65_536  # of a Pod, unless kubelet's `userNamespaces.idsPerPod` says more
_SECONDS: Final = 120.0
_SOCKET: Final = "unix:///run/user/1000/buildkit/buildkitd.sock"
# The defaults of containerd, which `procMount: Unmasked` takes away
_MASKED: Final = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug")
_READ_ONLY: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_SCRATCH: Final = ("/tmp", "/home/user", "/run/user/1000")  # noqa: S108 -- mounts of the container
_BUILD: Final = f"""\
mkdir -p /home/user/.local/tmp /home/user/.local/share/buildkit
rootlesskit buildkitd --addr={_SOCKET} %s > /tmp/log 2>&1 &
for _ in $(seq 100); do buildctl --addr={_SOCKET} debug workers > /tmp/workers 2>&1 && break; sleep 0.2; done
buildctl --addr={_SOCKET} build --progress=plain --frontend=dockerfile.v0 \\
  --local=context=/run/context --local=dockerfile=/run/context 2>&1 || {{ tail -20 /tmp/log; exit 1; }}
"""


@dataclass(frozen=True, slots=True)
class PodBuildKit:
    """What the chart renders for BuildKit.

    Attributes:
        container: `buildkitd`.
        ids: of /etc/subuid and /etc/subgid.
    """

    container: Object
    ids: str

    def build(self, programs: Path, folder: Path, dockerfile: str) -> "subprocess.CompletedProcess[str]":
        """Start it and build a Dockerfile whose context has `busybox`. folder: empty, for files of this run."""
        for each in ("layers", "root", "context"):
            (folder / each).mkdir(parents=True)
        shutil.copyfile("/bin/busybox", folder / "context" / "busybox")
        (folder / "context" / "busybox").chmod(0o755)
        (folder / "context" / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        (folder / "context" / "run.sh").write_text(_BUILD % " ".join(self._flags()), encoding="utf-8")
        (folder / "ids").write_text(self.ids, encoding="utf-8")
        (folder / "config.json").write_text(json.dumps(self._make_configuration()), encoding="utf-8")
        command = [*OWN_MOUNTS, "sh", str(_SCRIPT), str(folder), str(programs)]
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)

    def _flags(self) -> list[str]:
        return [each for each in self.container["args"] if each.startswith("--oci-worker")]

    def _make_configuration(self) -> dict[str, Any]:
        """Make runc's config.json (OCI runtime specification) of the container's securityContext."""
        security = self.container["securityContext"]
        user = {"uid": security["runAsUser"], "gid": security["runAsGroup"]}
        is_masked = security.get("procMount") != "Unmasked"
        ids = [{"containerID": 0, "hostID": _FIRST_ID, "size": _IDS}]
        scratch = [_mount(each, "tmpfs", "mode=0777", f"uid={user['uid']}", f"gid={user['gid']}") for each in _SCRATCH]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": user,
                "args": ["/bin/sh", "/run/context/run.sh"],
                "cwd": "/",
                "env": [
                    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME=/home/user",
                    "USER=user",
                    "XDG_RUNTIME_DIR=/run/user/1000",
                    "TMPDIR=/home/user/.local/tmp",
                ],
                "capabilities": {"bounding": [f"CAP_{each}" for each in security["capabilities"]["add"]]},
            },
            "root": {"path": "root", "readonly": security["readOnlyRootFilesystem"]},
            "mounts": [
                _mount("/proc", "proc"),
                _mount("/dev", "tmpfs", "nosuid", "mode=755"),
                _mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
                {"destination": "/sys", "type": "bind", "source": "/sys", "options": ["rbind", "ro"]},
                *scratch,
            ],
            "linux": {
                "namespaces": [{"type": each} for each in ("pid", "mount", "ipc", "uts", "user", "network")],
                "uidMappings": ids,
                "gidMappings": ids,
                "maskedPaths": list(_MASKED) if is_masked else [],
                "readonlyPaths": list(_READ_ONLY) if is_masked else [],
            },
        }


def _mount(destination: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}
