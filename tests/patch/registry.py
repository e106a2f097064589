"""A registry on loopback, Debian's docker-registry, with what it was asked: read from its access log."""

import base64
import contextlib
import itertools
import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.patch.debian_suites import run
from tests.plane.program import Program
from tests.ports import choose_ports

USER = "patcher"
PASSWORD = "only-for-these-tests"  # noqa: S105
HTPASSWD = f"{USER}:$2b$04$yUfIcp2E0xtUhgXqisfa1.HpSG5FFN4uskU04MoYebwAx4HjLwqre\n"  # bcrypt, which it asks for
LINE = re.compile(r'^\S+ - .*? \[[^\]]+\] "(\S+) (\S+) HTTP/1\.[01]" (\d{3}) \d+ ".*?" "(.*?)"$', re.MULTILINE)
PATH = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs/uploads|blobs|tags)/(?P<reference>[^?]*)")
ANSWER_SECONDS = 60.0
AGENT = "patchgate-tests"
ACCEPTED = ", ".join(
    [f"application/vnd.oci.image.{kind}.v1+json" for kind in ("index", "manifest")]
    + [f"application/vnd.docker.distribution.manifest.{kind}v2+json" for kind in ("list.", "")]
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the registry was asked. kind: manifests, blobs, blobs/uploads or tags; empty for the rest, such as /v2/."""

    method: str
    repository: str
    kind: str
    reference: str
    status: int
    agent: str


@dataclass(frozen=True)
class Registry:
    """A running registry.

    Attributes:
        address: host:port, as an image's name begins.
        program: to be ended and started by a test that has a registry of its own.
        login: user and password that it asks for; None where it asks for none.
    """

    address: str
    program: Program
    login: tuple[str, str] | None = None
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def push(self, layout: Path, repository: str, *tags: str) -> str:
        """Push an OCI layout under each tag; gives the reference REGISTRY/REPOSITORY:TAG of the last."""
        login = [f"--dest-creds={':'.join(self.login)}"] if self.login else []
        flags = ["--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false", *login]
        for tag in tags:
            run("skopeo", *flags, f"oci:{layout}:latest", f"docker://{self.address}/{repository}:{tag}")
        return f"{self.address}/{repository}:{tags[-1]}"

    def read_digest(self, repository: str, reference: str) -> str | None:
        """Read a manifest's digest; None where there is none."""
        with self._ask("HEAD", f"/v2/{repository}/manifests/{reference}") as answer:
            return answer.headers["Docker-Content-Digest"] if answer.status == 200 else None

    def read_manifest(self, repository: str, reference: str) -> dict[str, Any]:
        with self._ask("GET", f"/v2/{repository}/manifests/{reference}") as answer:
            assert answer.status == 200, (repository, reference, answer.status)
            manifest: dict[str, Any] = json.loads(answer.read())
            return manifest

    def read_tags(self, repository: str) -> list[str]:
        with self._ask("GET", f"/v2/{repository}/tags/list") as answer:
            return sorted(json.loads(answer.read()).get("tags") or []) if answer.status == 200 else []

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest, with every tag of it."""
        with self._ask("DELETE", f"/v2/{repository}/manifests/{digest}") as answer:
            assert answer.status == 202, answer.status

    def mark(self) -> int:
        """Mark where the access log ends now, for read_requests."""
        self._flush()
        return self.program.log.stat().st_size

    def read_requests(self, since: int) -> list[Request]:
        """Read what was asked since the mark, in the order of the answers, without what this object asked."""
        self._flush()
        text = self.program.log.read_bytes()[since:].decode(errors="replace")
        return [_parse(*found) for found in LINE.findall(text) if found[3] != AGENT]

    def _flush(self) -> None:
        """Wait until the log holds all that was answered before: a line is written when its answer is sent."""
        path = f"/v2/?flush={next(self.numbers)}-{time.monotonic_ns()}"
        with self._ask("GET", path):
            pass
        deadline = time.monotonic() + ANSWER_SECONDS
        while path.encode() not in self.program.log.read_bytes():
            assert time.monotonic() < deadline, "the registry's access log stands still"
            time.sleep(0.01)

    @contextlib.contextmanager
    def _ask(self, method: str, path: str) -> Iterator[HTTPResponse]:
        headers = {"Accept": ACCEPTED, "User-Agent": AGENT, **_authorize(self.login)}
        with contextlib.closing(HTTPConnection(self.address, timeout=ANSWER_SECONDS)) as connection:
            connection.request(method, path, headers=headers)
            yield connection.getresponse()


@contextlib.contextmanager
def run_registry(folder: Path, *, with_login: bool = False) -> Iterator[Registry]:
    """Run one on a free port, with its content in the folder, until the block ends."""
    (port,) = choose_ports(1)
    settings: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "content")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if with_login:
        (folder / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
        settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    configuration = folder / "registry.json"  # JSON is YAML
    configuration.write_text(json.dumps(settings), encoding="utf-8")
    program = Program(["docker-registry", "serve", str(configuration)], folder / "registry.log", lambda: _is_up(port))
    try:
        with program.running():
            yield Registry(f"127.0.0.1:{port}", program, (USER, PASSWORD) if with_login else None)
    finally:
        shutil.rmtree(folder / "content", ignore_errors=True)  # a hundred megabytes, of use to nobody


def write_docker_config(folder: Path, logins: Mapping[str, tuple[str, str]]) -> Path:
    """Write a docker config.json with a login a registry; gives its folder, which DOCKER_CONFIG names."""
    folder.mkdir(exist_ok=True)
    auths = {address: {"auth": _encode(login)} for address, login in logins.items()}
    (folder / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")
    return folder


def _parse(method: str, path: str, status: str, agent: str) -> Request:
    found = PATH.match(path)
    repository, kind, reference = found.group("repository", "kind", "reference") if found else ("", "", "")
    return Request(method, repository, kind, reference, int(status), agent)


def _authorize(login: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": f"Basic {_encode(login)}"} if login else {}


def _encode(login: tuple[str, str]) -> str:
    return base64.b64encode(":".join(login).encode()).decode()


def _is_up(port: int) -> bool:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (200, 401)
