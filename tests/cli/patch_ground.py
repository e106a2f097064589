"""What `patchgate patch` runs on in these tests: a registry over HTTP, and scripts in the place of Trivy and Copa."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import write_configmaps
from tests.die_with_parent import die_with_parent
from tests.patcher.http_server import Asked, HttpServer, Reply
from tests.patcher.programs import PATH, write_program
from tests.world import image_list

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "config": {}}).encode()


def sign(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sign(CONFIG),
            "size": len(CONFIG),
        },
        "layers": [],
    }
).encode()
MANIFEST_TYPE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json", "Docker-Content-Digest": sign(MANIFEST)}
REPORT = {
    "SchemaVersion": 2,
    "ArtifactType": "container_image",
    "Metadata": {
        "OS": {"Family": "debian", "Name": "12.5"},
        "RepoDigests": [f"127.0.0.1/shop/api@{sign(MANIFEST)}"],
        "ImageConfig": {"architecture": "amd64", "os": "linux"},
    },
    "Results": [{"Class": "os-pkgs", "Type": "debian", "Packages": [{"Name": "libssl3", "Version": "3.0.15-1"}]}],
}


def answer_image(asked: Asked) -> Reply:
    """Hold one image under every tag but `gone`."""
    if "/blobs/" in asked.path:
        return Reply(body=CONFIG)
    return Reply(404) if asked.path.endswith("/gone") else Reply(headers=MANIFEST_TYPE, body=MANIFEST)


@dataclass
class Ground:
    """Everything that a run needs, below one directory."""

    directory: Path
    registry: HttpServer
    configmaps: Path = field(init=False)
    trivy: str = field(init=False)
    copa: str = field(init=False)

    def __post_init__(self) -> None:
        self.configmaps = self.directory / "configmaps"
        self.copa = write_program(self.directory, "copa", "echo copa version v0.14.2")
        self.have_trivy('while [ "$1" != --output ]; do shift; done; cat "$0.report" > "$2"')
        (self.directory / "trivy.report").write_text(json.dumps(REPORT), encoding="utf-8")
        (self.directory / "tmp").mkdir()

    def have_trivy(self, scan: str) -> None:
        """Have Trivy scan so; a database of now is what it has."""
        version = {"Version": "0.69.3", "VulnerabilityDB": {"UpdatedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}}
        script = f"if [ \"$1\" = --version ]; then echo '{json.dumps(version)}'; exit; fi\n{scan}"
        self.trivy = write_program(self.directory, "trivy", script)

    def have_listed(self, *tags: str, **policy: str) -> list[str]:
        """List images of the registry; gives their names."""
        images = [f"{self.registry.host}/shop/api:{tag}" for tag in tags]
        write_configmaps(self.configmaps, image_list(*images, **policy))
        return images

    @property
    def arguments(self) -> list[str]:
        return [
            *("patch", "--source", str(self.configmaps), "--trivy", self.trivy, "--copa", self.copa),
            *("--skip-db-update", "--plain-http", self.registry.host, "--docker-config", str(self.directory)),
            *("--buildkit", f"unix://{self.directory}/nobody.sock"),
            *("--termination-log", str(self.directory / "termination-log")),
        ]

    def start(self, *arguments: str, within: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start a run in a process of its own. within: the words before its command."""
        return subprocess.Popen(
            [*die_with_parent(), *within, sys.executable, "-m", "patchgate", *self.arguments, *arguments],
            env={"PATH": PATH, "HOME": str(self.directory), "TMPDIR": str(self.directory / "tmp")}
            | {name: text for name, text in os.environ.items() if name.startswith("COVERAGE")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@contextmanager
def open_ground(directory: Path) -> Iterator[Ground]:
    with HttpServer(answer_image).serving() as registry:
        yield Ground(directory, registry)
