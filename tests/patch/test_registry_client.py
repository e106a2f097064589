"""The patcher's client on the real docker-registry: a login, tags, an upload, manifests, a mirror."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.docker_config import Login
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.manifest import MANIFEST_TYPES
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from patchgate.policy.mirror import Mirrors, parse_mirror
from tests.groups import leave_out
from tests.patch.registry import AGENT, Registry, run_registry, write_docker_config
from tools.debian import find_missing

PACE = Pace(tries=2, first_pause_seconds=0.01)
CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
CONFIG_DIGEST = f"sha256:{sha256(CONFIG).hexdigest()}"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPES[0],
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": CONFIG_DIGEST,
            "size": len(CONFIG),
        },
        "layers": [],
    }
).encode()
DIGEST = f"sha256:{sha256(MANIFEST).hexdigest()}"
TAGS = [f"1.{number:02d}" for number in range(20)]


@dataclass(frozen=True)
class Client:
    """The patcher's client, and the registry that it asks."""

    registry: Registry
    asks: OciRegistry
    credentials: Credentials

    @property
    def repository(self) -> str:
        return f"{self.registry.address}/shop/api"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if find_missing(["docker-registry"]):
        leave_out("not installed: docker-registry")
    with run_registry(tmp_path_factory.mktemp("client"), with_login=True) as running:
        put(running, TAGS)
        yield running


@pytest.fixture
def client(served: Registry, tmp_path: Path) -> Iterator[Client]:
    assert served.login
    write_docker_config(tmp_path / "docker", {f"HTTP://{served.address}/v2/".lower(): served.login})
    stop = threading.Event()
    lines = Mirrors.of([parse_mirror(f"docker.io = {served.address}/shop")])
    hosts = Hosts(frozenset({served.address}), lines)
    transport = Transport({}, PACE, hosts=hosts, stop=stop)
    credentials = Credentials(tmp_path / "docker", {}, stop)
    yield Client(served, OciRegistry(Session(hosts, credentials, transport, PACE, stop), hosts), credentials)
    transport.close()


def put(registry: Registry, tags: list[str], repository: str = "shop/api") -> None:
    """Push one image, without a layer, under many tags."""
    headers = {"User-Agent": AGENT} | ({"Authorization": Login(*registry.login).basic} if registry.login else {})
    connection = HTTPConnection(registry.address, timeout=60)
    connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers=headers)
    answer = connection.getresponse()
    answer.read()
    upload = urlsplit(answer.headers["Location"])
    kind = {"Content-Type": "application/octet-stream"}
    connection.request("PUT", f"{upload.path}?{upload.query}&digest={CONFIG_DIGEST}", CONFIG, headers | kind)
    connection.getresponse().read()
    for tag in tags:
        connection.request(
            "PUT", f"/v2/{repository}/manifests/{tag}", MANIFEST, headers | {"Content-Type": MANIFEST_TYPES[0]}
        )
        stored = connection.getresponse()
        assert stored.status == 201, stored.read()
        stored.read()
    connection.close()


def test_tags_are_listed(client: Client) -> None:
    """In one page: docker-registry 2.8 has no others."""
    mark = client.registry.mark()
    assert sorted(client.asks.list_tags(client.repository)) == TAGS
    pages = [request for request in client.registry.read_requests(mark) if request.kind == "tags"]
    assert [request.status for request in pages] == [401, 200]


def test_the_upload_that_tries_the_right_to_push_is_given_up(client: Client) -> None:
    mark = client.registry.mark()
    client.asks.check_push(client.repository)
    uploads = [each for each in client.registry.read_requests(mark) if each.kind == "blobs/uploads"]
    assert [(each.method, each.status) for each in uploads if each.status != 401] == [("POST", 202), ("DELETE", 204)]


def test_an_image_is_found_described_and_tagged(client: Client) -> None:
    assert client.asks.find_digest(client.repository, TAGS[0]) == DIGEST
    assert client.asks.find_digest(client.repository, "gone") is None
    assert client.asks.describe(client.repository, DIGEST).platforms == {"linux/amd64": DIGEST}
    client.asks.tag(client.repository, DIGEST, "0-patched-20260509")
    assert client.asks.find_digest(client.repository, "0-patched-20260509") == DIGEST
    assert client.asks.delete_tag(client.repository, "0-patched-20260509") is False  # docker-registry 2.8 deletes none
    client.registry.delete("shop/api", DIGEST)
    assert client.asks.find_digest(client.repository, TAGS[0]) is None
    put(client.registry, TAGS)


def test_a_mirror_with_a_path_is_asked_below_it(client: Client) -> None:
    mark = client.registry.mark()
    assert client.asks.find_digest("docker.io/api", TAGS[0]) == DIGEST
    assert {each.repository for each in client.registry.read_requests(mark)} == {"shop/api"}
