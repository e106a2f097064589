"""`certificates.mode=cert-manager` with the real cert-manager: it makes, renews and injects; the gate only reads.

cert-manager's chart gives its programs their rights, ours gives the gate its own.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.chart.helm import Helm
from tests.conftest import Gate
from tests.groups import leave_out
from tests.plane.cert_manager import SECONDS, renew, run_cert_manager
from tests.plane.control_plane import Plane, wait_until
from tests.plane.installed import Installation, prepare
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod
from tests.plane.secured import read, see_served
from tests.plane.test_chart_life import is_admitted, is_refused, watch_admissions
from tests.plane.world import API, WORLD
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import CERT_MANAGER

VALUES: dict[str, Any] = {"webhook": {"failurePolicy": "Fail"}, "certificates": {"mode": "cert-manager"}}
NAME = "managed-release"
LEAF, CA = f"{NAME}-cert-manager", f"{NAME}-ca"


@pytest.fixture(scope="module")
def cert_manager(plane: Plane, helm: Helm) -> Iterator[None]:
    built = find_programs(CERT_MANAGER, find_cache())
    if built is None:
        leave_out("cert-manager is not built here; make tools does")
    with run_cert_manager(plane, helm, built):
        yield


@pytest.fixture(scope="module")
def release(plane: Plane, helm: Helm, cert_manager: None) -> Iterator[Installation]:  # noqa: ARG001
    release = prepare(plane, helm, NAME)
    release.do("install", VALUES)
    yield release
    release.run("uninstall")


@pytest.fixture(scope="module")
def gate(release: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The gate, armed."""
    release.fill(tmp_path_factory.mktemp("world"), *WORLD)
    with release.run_gate() as gate:
        wait_until(lambda: gate.events("armed: kube-apiserver asks by these webhooks"), "armed", SECONDS)
        yield gate


@pytest.fixture(scope="module")
def shop(plane: Plane, gate: Gate) -> Kubectl:  # noqa: ARG001
    shop = plane.make_namespace(f"{NAME}-shop")
    wait_until(lambda: is_refused(shop), "refused", SECONDS)
    return shop


def read_secret(release: Installation, name: str, key: str) -> bytes:
    """Read a value of a Secret; empty where there is none."""
    said = release.system.ask("get", "secret", name, "-o", "json")
    return base64.b64decode(said.json["data"].get(key, "")) if said.is_admitted else b""


def list_bundles(release: Installation) -> list[set[x509.Certificate]]:
    """List what the callers of each webhook trust."""
    return [read(base64.b64decode(each["clientConfig"].get("caBundle", ""))) for each in release.webhooks]


def read_ca(release: Installation) -> set[x509.Certificate]:
    return read(read_secret(release, CA, "tls.crt"))


def wait_until_served(release: Installation, gate: Gate, other_than: x509.Certificate) -> None:
    """Wait until the gate serves what the Secret holds, which is not this."""

    def is_served() -> bool:
        pem = read_secret(release, LEAF, "tls.crt")
        leaf = x509.load_pem_x509_certificate(pem) if pem else other_than
        return other_than != leaf == see_served(gate)

    wait_until(is_served, "the new certificate served", SECONDS)


def test_after_an_uninstall_pods_can_be_made_and_the_next_install_has_the_same_ca(
    plane: Plane,
    helm: Helm,
    cert_manager: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    release, shop = prepare(plane, helm, "managed-again"), plane.make_namespace("managed-again-shop")
    release.do("install", VALUES)
    release.fill(tmp_path, *WORLD)
    with release.run_gate():  # the first of this module: where another is in force, it would refuse as well
        wait_until(lambda: is_refused(shop), "armed", SECONDS)
    bundles = list_bundles(release)
    assert bundles[0]
    release.run("uninstall")
    wait_until(lambda: shop.create(pod(API), "--dry-run=server").is_admitted, "admitted", SECONDS)
    gone = f"namespace/{release.name}-buildkit"
    wait_until(lambda: not release.system.ask("get", gone).is_admitted, f"{gone} gone", SECONDS)
    release.do("install", VALUES)
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed again", SECONDS)
        assert list_bundles(release) == bundles
    release.run("uninstall")


def test_it_is_made_served_and_trusted_and_an_unpatched_image_is_refused_with_our_words(
    release: Installation, gate: Gate, shop: Kubectl
) -> None:
    assert "a patched image is available" in shop.create(pod(API), "--dry-run=server").errors
    assert is_admitted(shop)
    names = see_served(gate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert f"{NAME}.{NAME}.svc" in names.get_values_for_type(x509.DNSName)
    assert list_bundles(release) == [read_ca(release)] * 3


def test_what_a_person_takes_out_of_the_configuration_cert_manager_and_the_gate_put_back(
    release: Installation, shop: Kubectl
) -> None:
    webhooks = release.webhooks
    emptied = {"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": ""}  # the gate may not mend this
    change = [emptied, {"op": "remove", "path": "/webhooks/1"}]
    assert release.system.patch(f"validatingwebhookconfiguration/{NAME}", change, kind="json").is_admitted
    wait_until(lambda: release.webhooks == webhooks, "all put back", SECONDS)
    wait_until(lambda: is_refused(shop), "refused again")


def test_a_renewal_and_a_secret_deleted_by_hand_are_served_without_a_restart_or_a_gap(
    release: Installation, gate: Gate, shop: Kubectl
) -> None:
    with watch_admissions(shop) as wrong:
        before = see_served(gate)
        renew(release.system, NAME)
        wait_until_served(release, gate, other_than=before)
        before = see_served(gate)
        release.system.do("delete", "secret", LEAF)
        wait_until_served(release, gate, other_than=before)
    assert wrong == []


def test_a_renewed_ca_leaves_no_gap(release: Installation, gate: Gate, shop: Kubectl) -> None:
    old, before = read_ca(release), see_served(gate)
    with watch_admissions(shop) as wrong:
        renew(release.system, CA)
        renew(release.system, NAME)
        wait_until_served(release, gate, other_than=before)
        wait_until(
            lambda: all(read_ca(release) <= each for each in list_bundles(release)), "the new CA injected", SECONDS
        )
    assert old.isdisjoint(read_ca(release))
    assert wrong == []
