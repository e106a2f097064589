"""A BuildKit of people's own: a Pod in a namespace of theirs, reached over mutual TLS by a CA of theirs."""

import base64
import json
from typing import Any, Final

import trustme

from tests.node.node import Node
from tests.node.patch_job import REGISTRIES
from tests.node.rootless_buildkit import IMAGE
from tests.node.workloads import service, wait_for
from tests.plane.kubectl import Kubectl

NAMESPACE: Final = "own-buildkit"
ADDRESS: Final = f"tcp://buildkit.{NAMESPACE}.svc:1234"
_HOST: Final = f"buildkit.{NAMESPACE}.svc"
_SOCKET: Final = "unix:///run/user/1000/buildkit/buildkitd.sock"
_TLS: Final = [
    f"--tls{name}=/etc/buildkit-tls/{file}"
    for name, file in (("cacert", "ca.crt"), ("cert", "tls.crt"), ("key", "tls.key"))
]


def run_own_buildkit(node: Node) -> dict[str, bytes]:
    """Run one until its namespace is deleted; gives what a client of it needs: ca.crt, tls.crt, tls.key."""
    inside = node.make_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"})
    ca = trustme.CA()
    create_secret(inside, "certificate", issue(ca, _HOST))
    inside.do("create", "configmap", "settings", f"--from-literal=buildkitd.toml={_write_settings()}")
    for each in (service("buildkit", 1234), _make_pod()):
        inside.do("create", "-f", "-", given=each)
    wait_for(inside, "pod/buildkit", "condition=Ready")
    return issue(ca, "patcher")


def issue(ca: trustme.CA, *names: str) -> dict[str, bytes]:
    """Issue a pair, as a Secret holds it."""
    leaf = ca.issue_cert(*names)
    certificate, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    return {"ca.crt": ca.cert_pem.bytes(), "tls.crt": certificate, "tls.key": key}


def create_secret(inside: Kubectl, name: str, values: dict[str, bytes]) -> None:
    """Create a Secret as people do, by hand."""
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    inside.do(
        "create", "-f", "-", given={"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
    )


def _write_settings() -> str:
    lines = []
    for each in REGISTRIES:
        lines.append(f"[registry.{json.dumps(each['host'])}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in each.items() if key != "host"]
    return "\n".join(lines)


def _make_pod() -> dict[str, Any]:
    """The Pod of BuildKit's docs/rootless.md."""
    mounts = {
        "storage": "/home/user/.local/share/buildkit",
        "settings": "/etc/buildkit",
        "certificate": "/etc/buildkit-tls",
    }
    container = {
        "name": "buildkitd",
        "image": f"docker.io/{IMAGE}",
        "args": [
            "--oci-worker-no-process-sandbox",
            "--config=/etc/buildkit/buildkitd.toml",
            f"--addr={_SOCKET}",
            "--addr=tcp://[::]:1234",
            *_TLS,
        ],
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "seccompProfile": {"type": "Unconfined"}},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
        "readinessProbe": {
            "exec": {"command": ["buildctl", "--addr", _SOCKET, "debug", "workers"]},
            "periodSeconds": 1,
        },
    }
    volumes = [
        {"name": "storage", "emptyDir": {}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "certificate", "secret": {"secretName": "certificate", "defaultMode": 0o440}},
    ]
    spec = {
        "containers": [container],
        "volumes": volumes,
        "securityContext": {"fsGroup": 1000},
        "terminationGracePeriodSeconds": 0,
    }
    metadata = {"name": "buildkit", "labels": {"app": "buildkit"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
