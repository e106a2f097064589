"""A BuildKit of people's own: a Pod in a namespace of theirs, reached over mutual TLS by a CA of theirs."""

import base64
import json
from typing import Final

import trustme

from tests.node.node import Node
from tests.node.patch_job import REGISTRIES
from tests.node.rootless_buildkit import NAME, buildkit_pod
from tests.node.workloads import service, wait_for
from tests.plane.kubectl import Kubectl

NAMESPACE: Final = "own-buildkit"
_HOST: Final = f"{NAME}.{NAMESPACE}.svc"
ADDRESS: Final = f"tcp://{_HOST}:1234"
_FOLDER: Final = "/etc/buildkit-tls"
_TLS: Final = (f"--tlscacert={_FOLDER}/ca.crt", f"--tlscert={_FOLDER}/tls.crt", f"--tlskey={_FOLDER}/tls.key")


def run_own_buildkit(node: Node) -> dict[str, bytes]:
    """Run one until its namespace is deleted; gives what a client of it needs: ca.crt, tls.crt, tls.key."""
    inside = node.make_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"})
    ca = trustme.CA()
    create_secret(inside, "certificate", issue(ca, _HOST))
    inside.do("create", "configmap", NAME, f"--from-literal=buildkitd.toml={_write_settings()}")
    for each in (service(NAME, 1234), buildkit_pod("--addr=tcp://[::]:1234", *_TLS, certificate=_FOLDER)):
        inside.do("create", "-f", "-", given=each)
    wait_for(inside, f"pod/{NAME}", "condition=Ready")
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
