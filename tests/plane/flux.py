"""Flux beside a plane: the CRDs of its image APIs, its image-reflector-controller, and a registry for it to look at.

The CRDs are made of Flux's own types by controller-gen, as Flux makes them: the Go proxy does not have the
image-automation-controller, which ships the third.
"""

import contextlib
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path

from tests.patcher.http_server import Asked, HttpServer, Reply
from tests.plane.control_plane import Plane, wait_until
from tests.plane.program import Program
from tests.ports import choose_ports
from tools.cache import find_cache
from tools.go import get_go
from tools.modules import FLUX_CRDS

APIS = ("image-reflector-controller", "image-automation-controller")
KINDS = ("imagerepositories", "imagepolicies", "imageupdateautomations")
NAMESPACE = "flux-system"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_PATH = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>tags|manifests)/(?P<name>[^?]+)")


def install_crds(plane: Plane, programs: Path, folder: Path) -> None:
    """Make the CRDs, and wait until there can be objects of them."""
    go = get_go(find_cache())
    subprocess.run(
        [
            programs / "controller-gen",
            "crd",
            *(f"paths=github.com/fluxcd/{api}/api/v1" for api in APIS),
            f"output:dir={folder}",
        ],
        cwd=FLUX_CRDS.folder,
        env={**os.environ, "PATH": f"{go.parent}:{os.environ['PATH']}", "GOTOOLCHAIN": "local", "GOWORK": "off"},
        check=True,
        timeout=300,
    )
    plane.kubectl.do("create", "-f", str(folder))
    for kind in KINDS:
        asked = ("get", f"{kind}.image.toolkit.fluxcd.io")
        wait_until(lambda asked=asked: plane.kubectl.ask(*asked).is_admitted, f"{kind} known", 60)  # type: ignore[misc] # mypy knows no default here


@contextlib.contextmanager
def run_reflector(plane: Plane, programs: Path, folder: Path) -> Iterator[Program]:
    """Run the image-reflector-controller until the block ends. folder: for its database."""
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, "flux", "system:masters")
    (health,) = choose_ports(1)
    command = [
        str(programs / "image-reflector-controller"),
        f"--health-addr=127.0.0.1:{health}",
        "--metrics-addr=0",
        f"--storage-path={folder}",
        "--storage-value-log-file-size=1048576",
    ]
    within = ("env", f"KUBECONFIG={kubeconfig}", f"RUNTIME_NAMESPACE={NAMESPACE}")
    program = Program(command, plane.folder / "image-reflector.log", lambda: _is_ready(health), within)
    with program.running():
        yield program


@contextlib.contextmanager
def serve_tags(tags: Mapping[str, Sequence[str]]) -> Iterator[HttpServer]:
    """Serve repositories with these tags, each tag a manifest of its own, until the block ends."""

    def answer(asked: Asked) -> Reply:
        found = _PATH.fullmatch(asked.path)
        if asked.path == "/v2/" or found is None:
            return Reply(200 if asked.path == "/v2/" else 404)
        if found["kind"] == "tags":
            listed = {"name": found["repository"], "tags": list(tags[found["repository"]])}
            return Reply(headers={"Content-Type": "application/json"}, body=json.dumps(listed).encode())
        content = write_manifest(found["name"])
        headers = {"Content-Type": MANIFEST_TYPE, "Docker-Content-Digest": sign(found["name"])}
        return Reply(headers=headers, body=content)

    with HttpServer(answer).serving() as server:
        yield server


def write_manifest(tag: str) -> bytes:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{'0' * 64}"}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []}
    return json.dumps({**manifest, "annotations": {"tag": tag}}).encode()


def sign(tag: str) -> str:
    """The digest of the manifest of a tag."""
    return f"sha256:{hashlib.sha256(write_manifest(tag)).hexdigest()}"


def _is_ready(port: int) -> bool:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
