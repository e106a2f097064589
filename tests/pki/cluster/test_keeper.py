"""Keeping a Secret and its caBundles: who writes what, who wins, and what is served meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.pki.cluster.keeper import SecretKeeper
from patchgate.pki.cluster.secret import SecretStore
from patchgate.pki.cluster.webhooks import open_webhooks
from patchgate.pki.contents import Contents
from tests.pki.cluster.secret_simulator import SecretSimulator, run_secret_simulator
from tests.pki.material import LIVES, NAME, NOW, hold, make_ca, make_contents

CERT_MANAGER = {"cert-manager.io/certificate-name": "gate"}


@dataclass
class Now:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Cluster:
    simulator: SecretSimulator
    clock: Now = field(default_factory=Now)

    def keep(self, *, issues: bool = True, watches: bool = True) -> SecretKeeper:
        api = self.simulator.make_api()
        webhooks = open_webhooks(api, "gate", Pace()) if watches else None
        names = (NAME, "localhost")
        return SecretKeeper(SecretStore(api, "copa-system", "tls"), webhooks, issues, names, LIVES, self.clock)

    def put(self, contents: Contents, **annotations: str) -> None:
        self.simulator.put(
            {
                "tls.crt": contents.certificate,
                "tls.key": contents.key,
                "ca.crt": contents.ca,
                "ca.key": contents.ca_keys,
                "ca.changed": contents.changed,
            },
            **annotations,
        )

    @property
    def writes(self) -> list[str]:
        return [request for request in self.simulator.requests if not request.startswith("GET")]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with run_secret_simulator() as simulator:
        cluster = Cluster(simulator)
        simulator.clock = cluster.clock
        yield cluster


def test_an_absent_secret_is_made_and_its_ca_put_into_every_webhook(cluster: Cluster) -> None:
    cluster.simulator.configure(None, b"", b"\n")
    keeper = cluster.keep()
    assert keeper.find_obstacle() == "no certificate in the Secret tls: it has not been read yet"
    look = keeper.look()
    assert look.done == ("issue a CA and a leaf, as tls.crt is empty", "patch the caBundle")
    assert (look.refused, look.failure) == ("", "")
    assert keeper.find_obstacle() == "the caBundle of gate does not hold the CA of the certificate"
    assert keeper.look().done == ()
    assert keeper.find_obstacle() == ""
    assert cluster.simulator.bundles() == [cluster.simulator.values()["ca.crt"]] * 3


def test_an_empty_secret_keeps_its_labels_when_it_is_filled(cluster: Cluster) -> None:
    cluster.put(Contents())
    cluster.keep(watches=False).look()
    assert cluster.simulator.secret
    assert cluster.simulator.secret["metadata"]["labels"] == {"app": "gate"}
    assert cluster.writes == ["PUT secret"]


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "absent"])
def test_of_many_replicas_one_issues_and_all_serve_it(cluster: Cluster, *, is_there: bool) -> None:
    if is_there:
        cluster.put(Contents())
    cluster.simulator.configure(None)
    keepers = [cluster.keep() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(SecretKeeper.look, keepers))
        looks += pool.map(SecretKeeper.look, keepers)
    assert len({keeper.served.serial for keeper in keepers if keeper.served}) == 1
    issued = [step for look in looks for step in look.done if step.startswith("issue")]
    assert issued == ["issue a CA and a leaf, as tls.crt is empty"]
    assert [look.failure for look in looks] == [""] * 16


def test_a_configuration_that_comes_later_is_patched_then(cluster: Cluster) -> None:
    keeper = cluster.keep()
    keeper.look()
    assert keeper.find_obstacle() == ""
    cluster.simulator.configure(b"")
    assert keeper.look().done == ("patch the caBundle",)
    keeper.look()
    assert keeper.find_obstacle() == ""


def test_a_ca_bundle_that_somebody_empties_is_mended_and_the_gate_not_ready_meanwhile(cluster: Cluster) -> None:
    cluster.simulator.configure(b"")
    keeper = cluster.keep()
    keeper.look()
    keeper.look()
    cluster.simulator.configure(b"")
    keeper.look()
    assert keeper.find_obstacle() == "the caBundle of gate does not hold the CA of the certificate"
    keeper.look()
    assert keeper.find_obstacle() == ""


def test_a_ca_that_somebody_put_into_a_ca_bundle_is_carried_over_and_dropped_in_time(cluster: Cluster) -> None:
    other = make_ca()
    cluster.put(make_contents(make_ca()))
    cluster.simulator.configure(other.certificate_pem, b"")
    keeper = cluster.keep()
    keeper.look()
    assert [len(hold(Contents(ca=bundle)).trusted) for bundle in cluster.simulator.bundles()] == [2, 2]
    for days in (40, 80, 91):
        cluster.clock.now = NOW + timedelta(days=days)
        keeper.look()
    keeper.look()
    assert other.certificate_pem not in cluster.simulator.values()["ca.crt"]
    assert all(other.certificate_pem not in bundle for bundle in cluster.simulator.bundles())
    assert keeper.find_obstacle() == ""


def test_another_secret_put_in_its_place_is_served_once_its_ca_is_everywhere(cluster: Cluster) -> None:
    before, after = make_contents(make_ca()), make_contents(make_ca(), name=NAME)
    cluster.simulator.configure(before.ca)
    cluster.put(before)
    keeper = replace(cluster.keep(watches=True), names=(NAME,))
    keeper.look()
    first = keeper.served
    cluster.put(after)
    assert keeper.look().done == ("carry over a CA that is still trusted elsewhere", "patch the caBundle")
    assert keeper.served == first
    keeper.look()
    assert keeper.served == hold(after).leaf
    assert keeper.find_obstacle() == ""


def test_a_secret_that_is_deleted_is_written_back_as_it_was(cluster: Cluster) -> None:
    keeper = cluster.keep(watches=False)
    keeper.look()
    values = cluster.simulator.values()
    cluster.simulator.secret = None
    assert keeper.look().done == ("write back what was there, as tls.crt is empty",)
    assert cluster.simulator.values() == values


def test_so_are_its_type_and_what_helm_knows_it_by(cluster: Cluster) -> None:
    keeper = cluster.keep(watches=False)
    cluster.simulator.put({}, **{"meta.helm.sh/release-name": "patchgate"})
    keeper.look()
    before = cluster.simulator.secret
    cluster.simulator.secret = None
    keeper.look()
    after = cluster.simulator.secret
    assert before
    assert after
    assert after["type"] == before["type"]
    for marks in ("labels", "annotations"):
        assert after["metadata"][marks] == before["metadata"][marks]


def test_a_broken_leaf_is_refused_said_and_issued_anew_by_the_same_ca(cluster: Cluster) -> None:
    keeper = cluster.keep(watches=False)
    keeper.look()
    ca, served = cluster.simulator.values()["ca.crt"], keeper.served
    cluster.simulator.put(cluster.simulator.values() | {"tls.key": make_ca().key_pem})
    look = keeper.look()
    assert look.done == ("issue a leaf, as tls.key is not the key of tls.crt",)
    assert look.refused == "tls.key is not the key of tls.crt"
    assert cluster.simulator.values()["ca.crt"] == ca
    assert keeper.served not in {None, served}


@pytest.mark.parametrize(
    ("issues", "annotations"), [(False, {}), (True, CERT_MANAGER)], ids=["ours not", "cert-manager"]
)
def test_a_secret_of_others_and_its_ca_bundles_are_never_written(
    cluster: Cluster, *, issues: bool, annotations: dict[str, str]
) -> None:
    good = make_contents(make_ca())
    cluster.simulator.configure(b"")
    cluster.put(replace(good, key=b"broken"), **annotations)
    keeper = cluster.keep(issues=issues)
    assert keeper.look().refused == "tls.key is not the key of tls.crt"
    assert keeper.find_obstacle() == "no certificate in the Secret tls: tls.key is not the key of tls.crt"
    cluster.put(good, **annotations)
    look = keeper.look()
    assert ("kept by cert-manager" in look.failure) is issues
    assert keeper.find_obstacle() == "the caBundle of gate does not hold the CA of the certificate"
    cluster.simulator.configure(good.ca)
    keeper.look()
    assert keeper.find_obstacle() == ""
    cluster.clock.now = NOW + timedelta(days=95)
    keeper.look()
    assert keeper.find_obstacle().startswith("the certificate expired on ")
    assert cluster.writes == []


def test_without_any_ca_said_the_machines_own_cas_are_whom_callers_trust(cluster: Cluster) -> None:
    cluster.simulator.configure(None)
    cluster.put(replace(make_contents(make_ca()), ca=b""))
    keeper = cluster.keep(issues=False)
    keeper.look()
    assert keeper.find_obstacle() == ""


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        ("POST secret", "may not create secret tls in copa-system (403): make an empty Secret tls of the type kube"),
        ("PATCH configuration", "may not patch validatingwebhookconfiguration gate (403): give its service account a "),
    ],
)
def test_what_may_not_be_written_is_said(cluster: Cluster, request_: str, failure: str) -> None:
    cluster.simulator.configure(b"")
    cluster.simulator.statuses[request_] = 403
    assert cluster.keep().look().failure.startswith(failure)


def test_a_secret_that_may_not_be_written_keeps_no_ca_bundle_from_being_mended(cluster: Cluster) -> None:
    contents = make_contents(make_ca())
    cluster.put(replace(contents, key=b"broken"))
    cluster.simulator.configure(b"")
    cluster.simulator.statuses["PUT secret"] = 403
    look = cluster.keep().look()
    assert look.failure.startswith("may not update secret tls in copa-system (403): ")
    assert look.done == ("patch the caBundle",)
    assert cluster.simulator.bundles() == [contents.ca]


@pytest.mark.parametrize("status", [403, 429])
def test_a_ca_that_cannot_be_carried_over_stays_in_the_ca_bundles(cluster: Cluster, status: int) -> None:
    before, after = make_contents(make_ca()), make_contents(make_ca())
    cluster.simulator.configure(before.ca)
    cluster.put(before)
    keeper = replace(cluster.keep(), names=(NAME,))
    keeper.look()
    cluster.put(after)
    cluster.simulator.statuses["PUT secret"] = status
    keeper.look()
    assert keeper.served == hold(before).leaf
    assert all(before.ca in bundle and after.ca in bundle for bundle in cluster.simulator.bundles())
    keeper.look()
    assert keeper.served == hold(after).leaf
    assert all(before.ca in bundle for bundle in cluster.simulator.bundles())


@pytest.mark.parametrize("issues", [True, False])
def test_one_webhook_without_the_ca_takes_the_gate_from_no_other(cluster: Cluster, *, issues: bool) -> None:
    contents = make_contents(make_ca())
    cluster.put(contents)
    cluster.simulator.configure(contents.ca, make_ca().certificate_pem, b"")
    cluster.simulator.statuses["PATCH configuration"] = 403
    keeper = replace(cluster.keep(issues=issues), names=(NAME,))
    look = keeper.look()
    assert keeper.find_obstacle() == ""
    assert look.failure.endswith(
        "the caBundle of 1.gate, 2.gate does not hold the CA of the certificate: its callers are refused"
    )
    cluster.put(make_contents(make_ca()))
    keeper.look()
    assert keeper.served == hold(contents).leaf


@pytest.mark.parametrize(("days", "side"), [(61, "ahead of"), (5000, "ahead of"), (-200, "behind")])
@pytest.mark.parametrize("is_there", [True, False], ids=["whole", "absent"])
def test_a_replica_whose_clock_is_wrong_writes_nothing_and_says_so(
    cluster: Cluster, days: int, side: str, *, is_there: bool
) -> None:
    cluster.simulator.configure(b"")
    if is_there:
        right = cluster.keep()
        right.look()
        right.look()
    written, bundles = cluster.writes, cluster.simulator.bundles()
    wrong = replace(cluster.keep(), clock=Now(NOW + timedelta(days=days)))
    differs = f"this machine's clock is {abs(days) * 24 * 60} min {side} kube-apiserver's"
    assert wrong.look().failure == f"{differs}: no certificate is written until they agree"
    assert (cluster.writes, cluster.simulator.bundles()) == (written, bundles)
    wrong.clock = cluster.clock
    assert wrong.look().failure == ""
    wrong.look()
    assert wrong.find_obstacle() == ""


def test_a_certificate_that_begins_later_is_not_said_to_have_expired(cluster: Cluster) -> None:
    keeper = cluster.keep(watches=False)
    keeper.look()
    cluster.clock.now = NOW - timedelta(days=2)
    assert keeper.find_obstacle() == "the certificate is not valid before 2026-05-09T12:00:00Z"


@pytest.mark.parametrize("kind", ["secret", "configuration"])
def test_what_cannot_be_read_leaves_all_as_it_is(cluster: Cluster, kind: str) -> None:
    cluster.simulator.configure(b"")
    keeper = cluster.keep()
    keeper.look()
    keeper.look()
    served = keeper.served
    cluster.simulator.statuses[f"GET {kind}"] = 503
    with pytest.raises(SourceError, match="it answers 503"):
        keeper.look()
    assert (keeper.served, keeper.find_obstacle()) == (served, "")


def test_a_patch_that_comes_too_late_is_made_again_from_what_is_there_then(cluster: Cluster) -> None:
    cluster.simulator.configure(b"")
    cluster.simulator.statuses["PATCH configuration"] = 422
    keeper = cluster.keep()
    assert keeper.look().failure == ""
    assert cluster.simulator.bundles() == [b""]
    cluster.simulator.statuses.clear()
    assert keeper.look().done == ("patch the caBundle",)
