"""P1: what stays of an index goes with it to another repository, on the real docker-registry, before any tag is."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.oci.copying import PART_BYTES
from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from tests.groups import leave_out
from tests.patch.registry import Registry, run_registry, write_docker_config
from tools.debian import find_missing

PACE = Pace(tries=2, first_pause_seconds=0.01)
LAYER = os.urandom(PART_BYTES + 12_345)
CONFIG = json.dumps({"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
LIMIT_SECONDS = 120


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if find_missing(("docker-registry", "skopeo")):
        leave_out("docker-registry and skopeo are not installed")
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Another registry, that asks for a login."""
    with run_registry(tmp_path_factory.mktemp("other"), with_login=True) as running:
        yield running


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def client(registry: Registry, other: Registry, stop: threading.Event, tmp_path: Path) -> Iterator[OciRegistry]:
    hosts = Hosts(frozenset({registry.address, other.address}))
    config = write_docker_config(tmp_path / "docker", {other.address: other.login or ("", "")})
    with ExitStack() as stack:
        transport = Transport({}, PACE, hosts=hosts, stop=stop)
        stack.callback(transport.close)
        yield OciRegistry(Session(hosts, Credentials(config, {}, stop), transport, PACE, stop), hosts)


def describe(content: bytes, kind: str) -> dict[str, object]:
    digest = f"sha256:{sha256(content).hexdigest()}"
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(content)}


@pytest.fixture(scope="module")
def image(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of a manifest in shop/api with a layer of more than one part."""
    layout = tmp_path_factory.mktemp("image") / "layout"
    (layout / "blobs/sha256").mkdir(parents=True)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": describe(CONFIG, "config.v1+json"),
            "layers": [describe(LAYER, "layer.v1.tar")],
        }
    ).encode()
    for content in (CONFIG, LAYER, manifest):
        (layout / "blobs/sha256" / sha256(content).hexdigest()).write_bytes(content)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
    index = {"schemaVersion": 2, "manifests": [describe(manifest, "manifest.v1+json")]}
    index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "latest"}  # type: ignore[index]
    (layout / "index.json").write_text(json.dumps(index), encoding="utf-8")
    registry.push(layout, "shop/api", "1.0")
    pushed = registry.read_digest("shop/api", "1.0")  # skopeo compresses the layer
    assert pushed is not None
    return pushed


def test_of_one_registry_blobs_are_mounted(client: OciRegistry, registry: Registry, image: str) -> None:
    mark = registry.mark()
    client.copy(f"{registry.address}/shop/api", image, f"{registry.address}/patched/api", LIMIT_SECONDS)
    assert registry.read_digest("patched/api", image) == image
    asked = registry.read_requests(mark)
    assert [each.status for each in asked if each.method == "POST"] == [201, 201]
    assert not [each for each in asked if each.method == "PATCH" or (each.method == "GET" and each.kind == "blobs")]


def test_of_two_registries_blobs_are_read_and_written_in_parts(
    client: OciRegistry, registry: Registry, other: Registry, image: str
) -> None:
    mark = other.mark()
    client.copy(f"{registry.address}/shop/api", image, f"{other.address}/patched/api", LIMIT_SECONDS)
    assert other.read_digest("patched/api", image) == image
    parts = [each for each in other.read_requests(mark) if each.method == "PATCH" and each.status == 202]
    assert len(parts) == 3, "the configuration has one, the layer two"
    described = client.describe(f"{other.address}/patched/api", image)
    assert described.platforms == {"linux/arm64": image}


def test_what_is_there_is_asked_for_once(client: OciRegistry, registry: Registry, image: str) -> None:
    target = f"{registry.address}/patched/again"
    client.copy(f"{registry.address}/shop/api", image, target, LIMIT_SECONDS)
    mark = registry.mark()
    client.copy(f"{registry.address}/shop/api", image, target, LIMIT_SECONDS)
    assert [each.method for each in registry.read_requests(mark)] == ["HEAD"]


def test_a_run_that_is_stopped_copies_no_further(
    client: OciRegistry, registry: Registry, image: str, stop: threading.Event
) -> None:
    stop.set()
    with pytest.raises(RegistryError):
        client.copy(f"{registry.address}/shop/api", image, f"{registry.address}/patched/never", LIMIT_SECONDS)


def test_a_copy_that_takes_too_long_fails(client: OciRegistry, registry: Registry, image: str) -> None:
    with pytest.raises(RegistryError, match=r"was not copied to .* within -1 s"):
        client.copy(f"{registry.address}/shop/api", image, f"{registry.address}/patched/late", -1)


VERSION = "org.opencontainers.image.version"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def put_index(registry: Registry, repository: str, tag: str, child: str, version: str | None) -> int:
    """Push an index of one child; gives the registry's status."""
    size = len(json.dumps(registry.read_manifest("shop/api", child)).encode())
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child, "size": size}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}
    index |= {"annotations": {VERSION: version, "a": "b"}} if version else {}
    with closing(HTTPConnection(registry.address, timeout=60)) as connection:
        path = f"/v2/{repository}/manifests/{tag}"
        connection.request("PUT", path, json.dumps(index).encode(), {"Content-Type": INDEX_TYPE})
        return connection.getresponse().status


def test_an_index_is_refused_until_its_child_was_copied(client: OciRegistry, registry: Registry, image: str) -> None:
    assert put_index(registry, "patched/index", "1.0", image, None) == 400
    client.copy(f"{registry.address}/shop/api", image, f"{registry.address}/patched/index", LIMIT_SECONDS)
    assert put_index(registry, "patched/index", "1.0", image, None) == 201


def test_the_version_of_an_index_is_restored_by_its_digest_alone(
    client: OciRegistry, registry: Registry, image: str
) -> None:
    repository = f"{registry.address}/shop/api"
    assert put_index(registry, "shop/api", "2.0", image, "2.0") == 201
    assert put_index(registry, "shop/api", "2.0-candidate-20260509", image, "2.0-candidate-20260509") == 201
    candidate, source = (registry.read_digest("shop/api", tag) for tag in ("2.0-candidate-20260509", "2.0"))
    assert candidate
    assert source
    restored = client.restore_version(repository, candidate, repository, source)
    assert registry.read_manifest("shop/api", restored)["annotations"] == {VERSION: "2.0", "a": "b"}
    assert registry.read_digest("shop/api", "2.0-candidate-20260509") == candidate, "a tag may be immutable"
    assert client.restore_version(repository, restored, repository, source) == restored
