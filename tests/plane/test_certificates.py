"""Certificates in a Secret, two replicas, callers through kube-apiserver: whatever happens, none of them is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.plane.api_traffic import keep_creating
from tests.plane.control_plane import Plane, wait_until
from tests.plane.late_caller import keep_calling
from tests.plane.secured import (
    SHORT_LIVED,
    Replicas,
    grant,
    make_secret,
    put_in_force,
    read,
    run_replicas,
    see_served,
)
from tests.plane.webhooks import SYSTEM
from tests.plane.world import API_PATCHED

if TYPE_CHECKING:
    from cryptography import x509

KEEPS = ("get", "update")
LIVES = ("--ca-seconds", "40", "--leaf-seconds", "15", "--settle-seconds", "2")
"""With 20 s before their making a leaf is due 3 s and a CA 20 s after it, and each has 11 s left by then."""


def own(name: str) -> tuple[str, ...]:
    return "--issue-certificates", "--webhook-configuration", name


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "absent"])
def test_two_replicas_that_start_at_once_make_one_ca_and_both_serve_it(
    plane: Plane, world: Path, *, is_there: bool
) -> None:
    name = f"first-{is_there}".lower()
    grant(plane, name, KEEPS, ("get", "patch"), creates=not is_there)
    if is_there:
        make_secret(plane, name, {})
    with run_replicas(plane, name, world, *own(name)) as replicas:
        replicas.wait_until_ready()
        (ca,) = read(replicas.secret["ca.crt"])
        replicas.wait_until_served(replicas.secret["tls.crt"])
        assert see_served(replicas.gates[0]).issuer == ca.subject
        with put_in_force(plane, replicas):
            assert replicas.bundles == [{ca}] * 3
            replicas.wait_until_ready()
        issued = [gate.events("certificates kept") for gate in replicas.gates]
        steps = [event["step"] for events in issued for event in events]
        assert steps.count("issue a CA and a leaf, as tls.crt is empty") == 1


def test_no_review_fails_while_leaf_and_ca_roll(plane: Plane, world: Path) -> None:
    name = "rolling"
    grant(plane, name, KEEPS, ("get", "patch"))
    make_secret(plane, name, {})
    arguments = ("--webhook-configuration", name, *LIVES)
    with (
        run_replicas(plane, name, world, *arguments, program=SHORT_LIVED) as replicas,
        put_in_force(plane, replicas) as webhook,
    ):
        (first,) = replicas.bundles[0]
        seen: set[x509.Certificate] = set()
        sizes: set[int] = set()
        host, ports = f"{name}.{SYSTEM}.svc", [gate.port for gate in replicas.gates]
        with (
            keep_creating(plane, webhook.enforce.namespace, API_PATCHED) as traffic,
            keep_calling(plane, name, host, ports) as late,
        ):

            def has_rolled() -> bool:
                seen.update(see_served(gate) for gate in replicas.gates)
                sizes.update(map(len, replicas.bundles))
                return all(first not in bundle for bundle in replicas.bundles)

            replicas.gates[0].wait_until(has_rolled, 180)
            wait_until(lambda: traffic.admitted > 1000 and late.handshakes > 100, "callers")
        assert traffic.failed + late.failed == []
        assert 2 in sizes
        assert len(seen) >= 3


@pytest.fixture(scope="module")
def replicas(plane: Plane, world: Path) -> Iterator[Replicas]:
    """Two replicas that keep their own Secret, in force."""
    name = "kept"
    grant(plane, name, KEEPS, ("get", "patch"), creates=True)
    with run_replicas(plane, name, world, *own(name)) as running, put_in_force(plane, running):
        running.wait_until_ready()
        yield running


def test_no_review_fails_when_a_mismatched_pair_is_dropped_in(plane: Plane, replicas: Replicas) -> None:
    before = replicas.secret
    stranger = trustme.CA().issue_cert(f"{replicas.name}.copa-system.svc")
    with keep_creating(plane, replicas.name, API_PATCHED) as traffic:
        replicas.put({"tls.key": stranger.private_key_pem.bytes()})
        wait_until(lambda: replicas.secret["tls.crt"] != before["tls.crt"], "another leaf")
        replicas.wait_until_served(replicas.secret["tls.crt"])
        wait_until(lambda: traffic.admitted > 100, "callers")
    assert traffic.failed == []
    assert replicas.secret["ca.crt"] == before["ca.crt"]
    refused = [
        event["why"] for gate in replicas.gates for event in gate.events("certificate refused; the one before goes on")
    ]
    assert set(refused) == {"tls.key is not the key of tls.crt"}


def delete(replicas: Replicas) -> None:
    replicas.system.do("delete", "secret", f"{replicas.name}-tls")


def scribble(replicas: Replicas) -> None:
    replicas.put(dict.fromkeys(("tls.crt", "tls.key", "ca.crt", "ca.key", "ca.changed"), b"garbage"))


@pytest.mark.parametrize("spoil", [delete, scribble])
def test_no_review_fails_when_the_secret_goes_and_the_same_ca_comes_back(
    plane: Plane, replicas: Replicas, spoil: Callable[[Replicas], None]
) -> None:
    before, bundles = replicas.secret, replicas.bundles
    with keep_creating(plane, replicas.name, API_PATCHED) as traffic:
        spoil(replicas)
        wait_until(lambda: replicas.secret == before, "the Secret as it was")
        wait_until(lambda: traffic.admitted > 500, "callers")
    assert traffic.failed == []
    assert replicas.bundles == bundles
    assert replicas.is_ready()
