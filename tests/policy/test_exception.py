"""Exceptions: whom one covers, where, and until when."""

from datetime import timedelta

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.case import Asker, open_case
from patchgate.policy.mirror import Mirror, Mirrors
from patchgate.policy.policy import Naming
from patchgate.policy.rows import excepted
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason
from patchgate.policy.workload import Image
from tests.world import NOW, digest, exceptions, image_list, record, records, snapshot, verdict

API = "registry.example.com/myapp/api"
EARLIER = digest("earlier")


def except_(image: str, *lines: str, expires: str = "2026-05-15T00:00:00Z") -> ConfigMap:
    """One exception, with further lines of YAML."""
    known = (f"- image: '{image}'", "reason: vendor fix due", "owner: platform@example.com", f"expires: {expires}")
    return exceptions("\n  ".join((*known, *lines)) + "\n")


def world(exception: ConfigMap, **policy: str) -> Snapshot:
    """Two tags out of SLA, one of them with another digest before, and an exception."""
    two = {
        f"{API}:1.4.2": record(first_vulnerable="2026-05-01T00:00:00Z", earlier_sources=[EARLIER]),
        f"{API}:2.0.0": record(
            first_vulnerable="2026-05-01T00:00:00Z", source_digest=digest("two"), source_platforms={}
        ),
    }
    return snapshot(image_list(f"{API}:1.4.2", f"{API}:2.0.0", **policy), records(two), exception)


@pytest.mark.parametrize(
    "pattern",
    [API, f"{API}:1.4.2", f"{API}:1.*", f"{API}:*", "registry.example.com/**", "registry.example.com/my*/*:1.4.*"],
)
def test_an_exception_lets_the_tag_run_with_a_warning_and_a_trace(pattern: str) -> None:
    allowed = verdict(f"{API}:1.4.2", world(except_(pattern)))
    assert (allowed.allowed, allowed.reason, allowed.warns) == (True, Reason.EXCEPTED, True)
    assert allowed.text == "excepted until 2026-05-15T00:00:00Z: vendor fix due (platform@example.com)"
    assert allowed.audit == f"{API}:1.4.2 {allowed.text}"


@pytest.mark.parametrize(
    "pattern",
    [
        f"{API}:1.4",
        f"{API}:2.*",
        "registry.example.com/myapp/ap",
        "registry.example.com/*",
        "registry.example.com.evil.io/**",
        f"{API}@{digest('source')}",
        f"{API}:1.4.2@{digest('source')}",
    ],
)
def test_an_exception_for_something_else_changes_nothing(pattern: str) -> None:
    assert verdict(f"{API}:1.4.2", world(except_(pattern))).reason is Reason.SLA_BREACHED


@pytest.mark.parametrize("seed", ["source", "source-amd64", "earlier"])
def test_a_tag_pattern_covers_the_digests_that_are_sources_of_the_tag(seed: str) -> None:
    assert verdict(f"{API}@{digest(seed)}", world(except_(f"{API}:1.*"))).reason is Reason.EXCEPTED


@pytest.mark.parametrize("seed", ["two", "unknown"])
def test_a_tag_pattern_covers_no_other_digest_whatever_tag_stands_beside_it(seed: str) -> None:
    assert verdict(f"{API}:1.4.2@{digest(seed)}", world(except_(f"{API}:1.*"))).reason is not Reason.EXCEPTED


@pytest.mark.parametrize("seed", ["source", "two", "unknown"])
def test_a_pattern_without_a_tag_covers_every_digest(seed: str) -> None:
    assert verdict(f"{API}@{digest(seed)}", world(except_(API))).reason is Reason.EXCEPTED


def test_a_digest_pattern_covers_that_digest_alone() -> None:
    snap = world(except_(f"{API}@{EARLIER}"))
    assert verdict(f"{API}@{EARLIER}", snap).reason is Reason.EXCEPTED
    assert verdict(f"{API}:9@{EARLIER}", snap).reason is Reason.EXCEPTED
    assert verdict(f"{API}@{digest('source')}", snap).reason is Reason.SLA_BREACHED


def test_a_tag_beside_a_digest_pattern_must_have_it_as_a_source() -> None:
    assert verdict(f"{API}@{EARLIER}", world(except_(f"{API}:1.4.2@{EARLIER}"))).reason is Reason.EXCEPTED
    assert verdict(f"{API}@{EARLIER}", world(except_(f"{API}:2.0.0@{EARLIER}"))).reason is Reason.SLA_BREACHED


@pytest.mark.parametrize(("namespace", "reason"), [("staging", Reason.EXCEPTED), ("preview-7", Reason.EXCEPTED)])
def test_an_exception_holds_in_its_namespaces(namespace: str, reason: Reason) -> None:
    snap = world(except_(API, "namespaces: [staging, 'preview-*']"))
    assert verdict(f"{API}:1.4.2", snap, namespace=namespace).reason is reason


@pytest.mark.parametrize("namespace", ["shop", "staging2", "my-preview-7", "", None])
def test_an_exception_does_not_hold_elsewhere_nor_where_nobody_said(namespace: str | None) -> None:
    snap = world(except_(API, "namespaces: [staging, 'preview-*']"))
    assert verdict(f"{API}:1.4.2", snap, namespace=namespace).reason is Reason.SLA_BREACHED


def test_an_exception_for_every_namespace_holds_where_nobody_said() -> None:
    assert verdict(f"{API}:1.4.2", world(except_(API)), namespace=None).reason is Reason.EXCEPTED


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-1, Reason.EXCEPTED), (0, Reason.SLA_BREACHED), (1, Reason.SLA_BREACHED)],
    ids=["a second before", "at the second", "a second after"],
)
def test_an_exception_ends_at_its_expiry(seconds: int, reason: Reason) -> None:
    snap = world(except_(API, expires="2026-05-09T12:00:00Z"))
    assert verdict(f"{API}:1.4.2", snap, now=NOW + timedelta(seconds=seconds)).reason is reason


def test_an_expiry_is_a_moment_whatever_its_time_zone() -> None:
    snap = world(except_(API, expires="2026-05-09T14:00:01+02:00"))
    assert verdict(f"{API}:1.4.2", snap).reason is Reason.EXCEPTED
    assert verdict(f"{API}:1.4.2", snap, now=NOW + timedelta(seconds=1)).reason is Reason.SLA_BREACHED


def test_an_expired_exception_is_reported_from_that_second_on() -> None:
    snap = world(except_(API, expires="2026-05-09T12:00:00Z"))
    assert [str(problem) for problem in snap.list_problems(NOW)] == [
        f"copa-exceptions: {API}: expired at 2026-05-09T12:00:00Z"
    ]
    assert list(snap.list_problems(NOW - timedelta(seconds=1))) == []


def test_of_two_exceptions_the_one_in_force_counts() -> None:
    expired, running = except_(API, expires="2026-05-01T00:00:00Z"), except_(f"{API}:1.*")
    both = exceptions(expired.data["exceptions.yaml"] + running.data["exceptions.yaml"])
    assert verdict(f"{API}:1.4.2", world(both)).reason is Reason.EXCEPTED


@pytest.mark.parametrize("pattern", ["mirror.example.com/myapp/api", "mirror.example.com/myapp/*:1.*"])
@pytest.mark.parametrize("image", ["mirror.example.com/myapp/api:1.4.2", f"{API}:1.4.2"])
def test_an_exception_for_a_mirror_holds_for_its_registry(pattern: str, image: str) -> None:
    snap = world(except_(pattern), mirrors="mirror.example.com = registry.example.com")
    assert verdict(image, snap).reason is Reason.EXCEPTED


def test_an_exception_for_a_registry_without_mirrors_stays_the_same() -> None:
    snap = world(except_(API))
    (exception,) = snap.exceptions.by_repository[API]
    assert exception.under(Naming(Mirrors.of([Mirror("mirror.example.com", "docker.io")]))) is exception


def test_an_exception_does_not_make_a_bad_reference_good() -> None:
    assert verdict("registry.example.com/Myapp", world(except_("registry.example.com/**"))).reason is (
        Reason.INVALID_REFERENCE
    )


def test_what_is_no_reference_is_covered_by_nothing() -> None:
    everything = world(except_("registry.example.com/**"))
    assert excepted(open_case(Image("registry.example.com/No Reference"), everything, Asker("shop"), NOW)) is None
