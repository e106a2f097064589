"""A release with what people bring themselves: certificate, BuildKit, volume; then BuildKit as a sidecar.

One install, in a namespace that Pod Security leaves alone, as the sidecar needs; two shards throughout.
"""

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.chart.helm import Helm
from tests.node import addresses
from tests.node.debian_images import LATER, SHARDED
from tests.node.installed import READY_SECONDS, Installed, is_admitted, is_refused, prepare_installed, remove
from tests.node.node import Node
from tests.node.own_buildkit import ADDRESS, create_secret, issue, run_own_buildkit
from tests.node.own_buildkit import NAMESPACE as BUILDKIT
from tests.node.patch_job import PATCHER, REGISTRIES, read_records, read_results, run_job
from tests.node.programs import NAME
from tests.node.shop import Shop, shop_pod
from tests.node.workloads import RESTRICTED
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tests.world import image_list

pytestmark = pytest.mark.usefixtures("release_images", "debian_images", "way_out")
SYSTEM = "own-system"
SECRET = "platform-tls"  # noqa: S105 -- its name
HOST = f"patchgate.{SYSTEM}.svc"
CLAIMED = "own-cache"
EXTERNAL = {"mode": "external", "address": ADDRESS, "clientSecret": "buildkit-client"}
SIDECAR = {"mode": "sidecar", "registries": REGISTRIES}
Record = dict[str, Any]


def values(buildkit: Record) -> Record:
    cache = {"type": "pvc", "size": "1Gi", "accessMode": "ReadWriteMany", "storageClassName": CLAIMED}
    return {
        "certificates": {"mode": "secret", "secret": {"name": SECRET}},
        "patcher": {**PATCHER, "shards": 2, "cache": cache},
        "buildkit": buildkit,
    }


def make_volume(folder: Path) -> Record:
    """A volume of a folder of the node (Kubernetes, "local"): whoever asks for its class gets it."""
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "storageClassName": CLAIMED,
        "persistentVolumeReclaimPolicy": "Retain",
        "local": {"path": str(folder)},
        "nodeAffinity": {
            "required": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}]}
                ]
            }
        },
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": CLAIMED}, "spec": spec}


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cache(node: Node) -> Iterator[Path]:
    """The volume's folder, as seen from here."""
    folder = node.folder / CLAIMED
    folder.mkdir()
    node.kubectl.do("create", "-f", "-", given=make_volume(Path("/run/node") / CLAIMED))
    yield folder
    node.kubectl.do("delete", "persistentvolume", CLAIMED, "--wait=false")


@pytest.fixture(scope="module")
def release(node: Node, helm: Helm, ca: trustme.CA, cache: Path) -> Iterator[Installed]:  # noqa: ARG001
    """Installed, and nothing written into its ConfigMaps yet."""
    release = prepare_installed(node, helm, SYSTEM, {"pod-security.kubernetes.io/enforce": "privileged"})
    try:
        create_secret(release.system, SECRET, issue(ca, HOST))
        create_secret(release.system, "buildkit-client", run_own_buildkit(node))
        release.do("install", values(EXTERNAL))
        release.wait_for_gates()
        yield release
    finally:
        remove(release, "own", BUILDKIT, SYSTEM)


@pytest.fixture(scope="module")
def people(node: Node, release: Installed, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """A namespace of theirs, in which an unpatched Pod is refused."""
    release.fill(tmp_path_factory.mktemp("own") / "configmaps", *shop.configmaps)
    inside = node.make_namespace("own", RESTRICTED)
    release.wait_until_armed(inside)
    return inside


@pytest.fixture(scope="module")
def records(release: Installed, people: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Record:  # noqa: ARG001
    """What both shards have written."""
    listed = image_list(*SHARDED, severity_threshold="HIGH")
    release.fill(tmp_path_factory.mktemp("sharded") / "configmaps", listed)
    run_job(release, "sharded")
    return read_records(release)


@pytest.fixture(scope="module")
def databases(cache: Path, records: Record) -> dict[Path, int]:  # noqa: ARG001
    return find_databases(cache)


@pytest.fixture(scope="module")
def later(release: Installed, databases: dict[Path, int], tmp_path_factory: pytest.TempPathFactory) -> Record:  # noqa: ARG001
    """What the sidecar's shards have written of one image more; nobody else's BuildKit is there any more."""
    release.do("upgrade", values(SIDECAR))
    release.system.do("delete", "namespace", BUILDKIT)
    listed = image_list(*SHARDED, LATER, severity_threshold="HIGH")
    release.fill(tmp_path_factory.mktemp("later") / "configmaps", listed)
    run_job(release, "sidecar")
    return dict(read_records(release)[LATER])


def find_databases(cache: Path) -> dict[Path, int]:
    """Find Trivy's databases: file → when it was written."""
    return {file: file.stat().st_mtime_ns for file in cache.rglob("trivy.db")}


def test_a_release_whose_lists_are_still_empty_has_nothing_to_complain_of(release: Installed) -> None:
    said = [json.loads(line) for line in release.read_gate_logs() if line.startswith("{")]
    assert said
    assert [each for each in said if each["level"] not in {"info", "debug"}] == []


def test_a_secret_made_by_hand_arms_the_gate(release: Installed, people: Kubectl, ca: trustme.CA) -> None:
    trusted = {base64.b64decode(each["clientConfig"]["caBundle"]) for each in release.webhooks}
    assert trusted == {ca.cert_pem.bytes()}
    assert is_refused(people)
    assert is_admitted(people)


def test_another_pair_of_its_ca_is_served_without_a_restart(
    node: Node, release: Installed, people: Kubectl, ca: trustme.CA
) -> None:
    before = {pod["metadata"]["uid"] for pod in release.list_gates()}
    renewed = issue(ca, HOST)
    data = {key: base64.b64encode(value).decode() for key, value in renewed.items()}
    assert release.system.patch(f"secret/{SECRET}", {"data": data}, kind="merge").is_admitted
    expected = ssl.PEM_cert_to_DER_cert(renewed["tls.crt"].decode())

    def is_served() -> bool:
        return all(read_served(node, ca, pod["status"]["podIP"]) == expected for pod in release.list_gates())

    wait_until(is_served, "both gates serve it", READY_SECONDS)
    pods = release.list_gates()
    assert {pod["metadata"]["uid"] for pod in pods} == before
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [0, 0]
    assert is_refused(people)
    assert is_admitted(people)


def read_served(node: Node, ca: trustme.CA, address: str) -> bytes | None:
    """Read the certificate that a gate shows."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    with context.wrap_socket(node.machine.connect(address, 8443), server_hostname=HOST) as connection:
        return connection.getpeercert(binary_form=True)


def assert_approved(node: Node, record: Record) -> None:
    assert record["state"] == "patched"
    assert record["fixable_before"]
    assert record["fixable_after"] == {}
    repository, tag = record["approved_reference"].removeprefix(f"{addresses.REGISTRY}/").split(":")
    assert node.registry.read_digest(repository, tag) == record["approved_digest"]


def test_two_shards_patch_each_its_own_with_people_s_buildkit(node: Node, release: Installed, records: Record) -> None:
    for image in SHARDED:
        assert_approved(node, records[image])
    for shard in (0, 1):
        assert read_results(release, "sharded", shard) == [{"patched": 1}]


def test_each_shard_keeps_a_database_in_people_s_volume(databases: dict[Path, int]) -> None:
    assert {file.parts[-3] for file in databases} == {"trivy-0", "trivy-1"}


def test_the_next_run_takes_the_databases_as_they_are(
    cache: Path,
    databases: dict[Path, int],
    later: Record,  # noqa: ARG001 -- once it has run
) -> None:
    assert find_databases(cache) == databases


def test_buildkit_as_a_sidecar_patches_too(node: Node, people: Kubectl, later: Record) -> None:
    assert_approved(node, later)
    use = f"{later['approved_reference']}@{later['approved_digest']}"
    wait_until(lambda: use in people.create(shop_pod(LATER), "--dry-run=server").errors, "the gate names it")


def test_the_sidecar_starts_first_and_ends_with_the_patcher(release: Installed, later: Record) -> None:  # noqa: ARG001
    pods = release.system.get("pods", "-l", "batch.kubernetes.io/job-name=sidecar")["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Succeeded", "Succeeded"]
    for pod in pods:
        (sidecar,), (patcher,) = pod["status"]["initContainerStatuses"], pod["status"]["containerStatuses"]
        assert sidecar["name"] == "buildkitd"
        assert sidecar["state"]["terminated"]["startedAt"] <= patcher["state"]["terminated"]["startedAt"]
