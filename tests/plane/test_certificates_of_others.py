"""A Secret that somebody else keeps is read the same way and never written; what cannot be served is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.plane.api_traffic import keep_creating
from tests.plane.control_plane import Plane, wait_until
from tests.plane.secured import Replicas, grant, make_secret, put_in_force, run_replicas
from tests.plane.webhooks import SYSTEM
from tests.plane.world import API_PATCHED

READS = ("get",)
ALL = ("get", "update", "patch", "delete")
CERT_MANAGER = {"cert-manager.io/certificate-name": "gate"}


def issue(ca: trustme.CA, name: str, *, is_expired: bool = False) -> dict[str, bytes]:
    """A Secret's values, as cert-manager writes them."""
    now = datetime.now(UTC)
    begins, ends = (now - timedelta(days=9), now - timedelta(days=1)) if is_expired else (None, now + timedelta(days=9))
    leaf = ca.issue_cert(f"{name}.{SYSTEM}.svc", not_before=begins, not_after=ends)
    certificate, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    return {"tls.crt": certificate, "tls.key": key, "ca.crt": ca.cert_pem.bytes()}


def ready_lines(replicas: Replicas) -> list[str]:
    lines = replicas.gates[0].ask("GET", "/readyz?verbose").text.splitlines()
    return [line for line in lines if line.startswith("not ready: ")]


def test_a_hand_made_secret_is_served_followed_and_never_written(plane: Plane, world: Path) -> None:
    name, ca, stranger = "by-hand", trustme.CA(), trustme.CA()
    grant(plane, name, ALL, ("get", "patch"))
    make_secret(plane, name, issue(ca, name))
    with (
        run_replicas(plane, name, world, "--webhook-configuration", name) as replicas,
        put_in_force(plane, replicas, ca.cert_pem.bytes()) as webhook,
        keep_creating(plane, webhook.enforce.namespace, API_PATCHED) as traffic,
    ):
        replicas.wait_until_ready()
        renewed = issue(ca, name)
        replicas.put(renewed)
        replicas.wait_until_served(renewed["tls.crt"])
        replicas.put({"tls.key": issue(stranger, name)["tls.key"]})
        refused = "certificate refused; the one before goes on"
        for gate in replicas.gates:
            gate.wait_until(lambda gate=gate: gate.events(refused) != [])  # type: ignore[misc] # a default is a default
            assert gate.metric('patchgate_certificate_loads_total{result="refused"}') == 1
        assert replicas.is_ready()
        replicas.put(issue(stranger, name))  # a CA that no caBundle holds yet: it has to wait
        version = replicas.version
        wait_until(lambda: traffic.admitted > 1000, "callers")
        replicas.wait_until_served(renewed["tls.crt"])
        assert replicas.is_ready()
        assert replicas.bundles[0] == replicas.bundles[1]
        assert replicas.version == version
    assert traffic.failed == []


def test_a_secret_of_cert_manager_is_not_written_whatever_the_flag_says(plane: Plane, world: Path) -> None:
    name = "managed"
    values = issue(trustme.CA(), name) | {"tls.key": b"broken"}
    grant(plane, name, ALL, ("get", "patch"))
    make_secret(plane, name, values, CERT_MANAGER)
    with run_replicas(plane, name, world, "--issue-certificates", count=1) as replicas:
        said = "certificates cannot be kept current; what is served goes on"
        replicas.gates[0].wait_until(lambda: replicas.gates[0].events(said) != [])
        assert replicas.gates[0].events(said)[0]["why"].startswith("the Secret managed-tls is kept by cert-manager")
        assert ready_lines(replicas) == [
            "not ready: no certificate in the Secret managed-tls: tls.key is not the key of tls.crt"
        ]
        assert replicas.secret == values
        replicas.put(issue(trustme.CA(), name))
        replicas.wait_until_ready()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({"tls.crt": b"", "tls.key": b"", "ca.crt": b""}, "tls.crt is empty"),
        ({"tls.crt": b"garbage"}, "tls.crt is no certificate in PEM"),
        (None, "tls.crt expired on "),
    ],
    ids=["empty", "garbage", "expired"],
)
def test_what_cannot_be_served_at_the_start_is_said_and_served_when_it_is_mended(
    plane: Plane, world: Path, spoil: dict[str, bytes] | None, why: str
) -> None:
    name, ca = f"start-{why.split()[1][:2]}-{len(why)}", trustme.CA()
    good = issue(ca, name)
    make_secret(plane, name, good | spoil if spoil else issue(ca, name, is_expired=True))
    grant(plane, name, READS, READS)
    with run_replicas(plane, name, world, count=1) as replicas:
        gate = replicas.gates[0]
        gate.wait_until(lambda: [line for line in ready_lines(replicas) if f"{name}-tls: {why}" in line] != [])
        assert gate.ask("GET", "/readyz").status == 503
        assert gate.ask("GET", "/livez").status == 200
        replicas.put(good)
        replicas.wait_until_ready()
        replicas.wait_until_served(good["tls.crt"])


def test_an_own_secret_that_is_garbage_or_expired_at_the_start_is_made_anew(plane: Plane, world: Path) -> None:
    name, ca = "anew", trustme.CA()
    expired = issue(ca, name, is_expired=True)
    make_secret(plane, name, expired | {"ca.key": b"garbage"})
    grant(plane, name, ("get", "update"), ("get", "patch"))
    own = ("--issue-certificates", "--webhook-configuration", name)
    with (
        run_replicas(plane, name, world, *own) as replicas,
        put_in_force(plane, replicas, ca.cert_pem.bytes()),  # callers trust the CA of before
    ):
        replicas.wait_until_ready()
        replicas.wait_until_served(replicas.secret["tls.crt"])
        assert [len(bundle) for bundle in replicas.bundles] == [2] * 3
        assert ca.cert_pem.bytes() in replicas.secret["ca.crt"]


def test_without_the_right_to_patch_the_gate_serves_and_says_what_is_missing(plane: Plane, world: Path) -> None:
    name = "no-right"
    make_secret(plane, name, {})
    grant(plane, name, READS, READS)
    with run_replicas(plane, name, world, "--issue-certificates", count=1) as replicas:
        gate, said = replicas.gates[0], "certificates cannot be kept current; what is served goes on"
        gate.wait_until(lambda: gate.events(said) != [])
        assert gate.events(said)[0]["why"] == (
            f"may not update secret {name}-tls in {SYSTEM} (403): "
            f"give its service account a Role with update on the Secret {name}-tls"
        )
        assert ready_lines(replicas) == [f"not ready: no certificate in the Secret {name}-tls: tls.crt is empty"]
