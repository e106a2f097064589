"""The image of rootless BuildKit as upstream publishes it, made of Debian's packages and the pinned program; its Pod.

Upstream: moby/buildkit, Dockerfile, stage `rootless`, and docs/rootless.md.
"""

import shutil
from typing import Any, Final

from tests.node.image_build import Build, Builder
from tools.modules import BUILDKIT

IMAGE: Final = f"moby/buildkit:{BUILDKIT.version}-rootless"
SOCKET: Final = "unix:///run/user/1000/buildkit/buildkitd.sock"
NAME: Final = "buildkit"
"""Of its Pod, and of the ConfigMap that has its `buildkitd.toml`."""
_ROOT: Final = "buildkit-root:tests"
_PACKAGES: Final = ("ca-certificates", "libcap2-bin", "rootlesskit", "runc", "uidmap")
_DOCKERFILE: Final = """\
FROM {root}
RUN echo user:x:1000:1000::/home/user:/bin/sh >> /etc/passwd && echo user:x:1000: >> /etc/group \\
 && echo user:100000:65536 | tee /etc/subuid > /etc/subgid \\
 && mkdir -p /run/user/1000 /home/user/.local/share/buildkit /home/user/.local/tmp \\
 && chown -R 1000:1000 /run/user/1000 /home/user \\
 # with the bit for root instead they would lose the right to map: a container has no CAP_SYS_ADMIN
 && chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap \\
 && setcap cap_setuid=ep /usr/bin/newuidmap && setcap cap_setgid=ep /usr/bin/newgidmap
COPY buildkitd buildctl /usr/bin/
USER 1000:1000
ENV HOME=/home/user USER=user XDG_RUNTIME_DIR=/run/user/1000 TMPDIR=/home/user/.local/tmp
ENV BUILDKIT_HOST=unix:///run/user/1000/buildkit/buildkitd.sock
ENTRYPOINT ["rootlesskit", "buildkitd"]
"""
_ARGUMENTS: Final = (
    "--oci-worker-no-process-sandbox",
    f"--addr={SOCKET}",
    "--config=/etc/buildkit/buildkitd.toml",
)
_READY: Final = ["buildctl", "--addr", SOCKET, "debug", "workers"]


def make_rootless_buildkit(builder: Builder) -> None:
    """Make IMAGE in the builder's registry."""
    builder.push_debian(_ROOT, _PACKAGES)
    context = builder.folder / "buildkit-image"
    context.mkdir()
    for program in ("buildkitd", "buildctl"):
        shutil.copyfile(builder.buildctl.with_name(program), context / program)
        (context / program).chmod(0o755)
    (context / "Dockerfile").write_text(_DOCKERFILE.format(root=builder.name(_ROOT)), encoding="utf-8")
    builder.build(IMAGE, context, Build())


def buildkit_pod(*arguments: str, **secrets: str) -> dict[str, Any]:
    """A Pod of IMAGE that listens on SOCKET, labelled with its name. secrets: name → folder that it is mounted at."""
    sources: dict[str, dict[str, Any]] = {"storage": {"emptyDir": {}}, "settings": {"configMap": {"name": NAME}}}
    sources |= {name: {"secret": {"secretName": name, "defaultMode": 0o440}} for name in secrets}
    folders = {"storage": "/home/user/.local/share/buildkit", "settings": "/etc/buildkit", **secrets}
    container = {
        "name": "buildkitd",
        "image": f"docker.io/{IMAGE}",
        "args": [*_ARGUMENTS, *arguments],
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "seccompProfile": {"type": "Unconfined"}},
        "volumeMounts": [{"name": name, "mountPath": folder} for name, folder in folders.items()],
        "readinessProbe": {"exec": {"command": _READY}, "periodSeconds": 1},
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": name, **source} for name, source in sources.items()],
        "securityContext": {"fsGroup": 1000},
        "terminationGracePeriodSeconds": 0,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "labels": {"app": NAME}}, "spec": spec}
