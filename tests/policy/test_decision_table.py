"""The decision table (docs/decision.md), row by row, each at its edges. The worlds are whole ConfigMaps."""

from datetime import timedelta

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.rows import ROWS
from patchgate.policy.snapshot import Snapshot
from tests.world import (
    NOW,
    clean,
    digest,
    exceptions,
    hours_ago,
    image_list,
    patched,
    record,
    records,
    snapshot,
    team_list,
    verdict,
)

API = "registry.example.com/myapp/api"
TAG = f"{API}:1.4.2"
PATCHED_TAG = f"{API}:1.4.2-patched-20260509"
SOURCE = f"{API}@{digest('source')}"
SOURCE_PLATFORM = f"{API}@{digest('source-amd64')}"
PATCHED = f"{API}@{digest('patched')}"
PATCHED_PLATFORM = f"{API}@{digest('patched-amd64')}"
USE = f"{PATCHED_TAG}@{digest('patched')}"
LONG = f"registry.example.com/{'a-very-long-path/' * 8}api"
SECOND = timedelta(seconds=1)

ALLOWED, WARNED, DENIED = (True, False), (True, True), (False, False)


def world(by_key: dict[str, dict[str, object]] | None = None, *digests: str, **policy: str) -> Snapshot:
    """A world that lists TAG, with these records."""
    return snapshot(image_list(TAG, **policy), records(by_key, digests=digests))


def patched_world(**policy: str) -> Snapshot:
    return world({TAG: patched(PATCHED_TAG)}, **policy)


def decided(image: str, where: Snapshot, **asked: object) -> tuple[bool, bool, str]:
    found = verdict(image, where, **asked)  # type: ignore[arg-type] # the keywords of `verdict`, passed on
    return found.allowed, found.warns, found.reason


def test_the_table_has_its_fourteen_rows_in_the_order_of_the_document() -> None:
    assert [row.__doc__.partition(":")[0] for row in ROWS if row.__doc__] == [f"Row {n}" for n in range(1, 15)]


class TestRow1InvalidReference:
    @pytest.mark.parametrize(
        "image", ["", "nginx@@", "NGINX", "nginx:", "nginx@sha256:zz", "nginx\x00", " nginx", "a" * 64]
    )
    def test_what_does_not_parse_is_denied_in_whatever_repository(self, image: str) -> None:
        assert decided(image, patched_world()) == (*DENIED, "InvalidReference")

    def test_an_exception_does_not_cover_it(self) -> None:
        everything = exceptions("- {image: 'docker.io/**', reason: r, owner: o, expires: 2026-06-01T00:00:00Z}")
        assert decided("docker.io/NGINX", snapshot(image_list(), everything)) == (*DENIED, "InvalidReference")


class TestRow2Excepted:
    EXPIRES = NOW + timedelta(hours=3)

    def excepted(self, image: str, *, namespaces: str = "") -> Snapshot:
        who = "reason: vendor fix due, owner: platform@example.com"
        entry = f"- {{image: '{image}', {namespaces}{who}, expires: {self.EXPIRES.isoformat()}}}"
        return snapshot(image_list(TAG), records({TAG: record(first_vulnerable=hours_ago(100))}), exceptions(entry))

    def test_an_excepted_image_runs_with_a_warning_and_an_audit_note(self) -> None:
        found = verdict(TAG, self.excepted(f"{API}:1.4.*"))
        assert (found.allowed, found.warns, found.reason) == (*WARNED, "Excepted")
        assert found.text == "excepted until 2026-05-09T15:00:00Z: vendor fix due (platform@example.com)"
        assert found.audit == f"{TAG} {found.text}"

    def test_until_the_second_it_expires(self) -> None:
        where = self.excepted(f"{API}:1.4.2")
        assert decided(TAG, where, now=self.EXPIRES - SECOND) == (*WARNED, "Excepted")
        assert decided(TAG, where, now=self.EXPIRES) == (*DENIED, "SlaBreached")

    def test_only_in_its_namespaces(self) -> None:
        where = self.excepted(f"{API}:1.4.2", namespaces="namespaces: [staging, 'preview-*'], ")
        assert decided(TAG, where, namespace="preview-7") == (*WARNED, "Excepted")
        assert decided(TAG, where, namespace="production") == (*DENIED, "SlaBreached")
        assert decided(TAG, where, namespace=None) == (*DENIED, "SlaBreached")

    def test_a_tag_pattern_covers_a_digest_where_it_is_a_source_of_that_tag(self) -> None:
        assert decided(SOURCE, self.excepted(f"{API}:1.4.2")) == (*WARNED, "Excepted")
        assert decided(SOURCE, self.excepted(f"{API}:1.5.*")) == (*DENIED, "SlaBreached")
        assert decided(f"{API}:1.5.0@{digest('source')}", self.excepted(f"{API}:1.5.*")) == (*DENIED, "SlaBreached")

    def test_it_also_covers_what_is_not_tracked(self) -> None:
        where = self.excepted("docker.io/library/nginx:*")
        assert decided("nginx", where) == (*WARNED, "Excepted")


class TestRow3Unqualified:
    NAMES = ("nginx", "nginx:1.25", "library/nginx:1.25", "team/app:1", f"nginx@{digest('nginx')}")

    @pytest.mark.parametrize("image", NAMES)
    def test_a_name_without_a_registry_is_refused_where_the_policy_says_so(self, image: str) -> None:
        assert decided(image, patched_world(unqualified="deny")) == (*DENIED, "Unqualified")
        assert decided(image, patched_world(unqualified="warn")) == (*WARNED, "NotTracked")
        assert decided(image, patched_world()) == (*ALLOWED, "NotTracked")

    @pytest.mark.parametrize("image", ["docker.io/nginx", "localhost/nginx", "registry:5000/nginx", "Registry/nginx"])
    def test_a_name_with_a_registry_is_none_of_them(self, image: str) -> None:
        assert decided(image, patched_world(unqualified="deny")) == (*ALLOWED, "NotTracked")

    def test_the_message_says_what_to_write(self) -> None:
        advice = "write its registry, docker.io/library/nginx:1.25 if you mean Docker Hub"
        text = f"names no registry, so each node chooses one: {advice}"
        assert verdict("nginx:1.25", patched_world(unqualified="deny")).text == text
        warned = verdict("nginx:1.25", patched_world(unqualified="warn"))
        assert warned.text == f"{text}; its repository is not tracked"
        assert warned.warnings[0].startswith(
            "nginx:1.25: names no registry, so each node chooses one: write its registry, "
        )

    def test_an_approved_image_is_named_by_digest_instead(self) -> None:
        key = "docker.io/library/nginx:1.25"
        where = snapshot(image_list(key, unqualified="deny"), records({key: patched(f"{key}-patched-20260509")}))
        found = verdict("nginx:1.25", where)
        assert (found.reason, found.use) == ("Unqualified", f"{key}-patched-20260509@{digest('patched')}")
        assert decided(str(found.use), where) == (*ALLOWED, "Approved")

    def test_a_warning_loosens_nothing(self) -> None:
        key = "docker.io/library/nginx:1.25"
        where = snapshot(image_list(key, unqualified="warn"), records({key: record(first_vulnerable=hours_ago(30))}))
        assert decided("nginx:1.25", where) == (*DENIED, "SlaBreached")
        assert decided(key, where) == (*DENIED, "SlaBreached")

    def test_an_exception_covers_it(self) -> None:
        entry = "- {image: 'docker.io/library/nginx:*', reason: r, owner: o, expires: 2026-06-01T00:00:00Z}"
        where = snapshot(image_list(TAG, unqualified="deny"), exceptions(entry))
        assert decided("nginx:1.25", where) == (*WARNED, "Excepted")

    def test_lines_without_a_registry_are_reported_and_keep_their_effect(self) -> None:
        where = snapshot(image_list("nginx:1.25", TAG, unqualified="deny"), team_list("redis:7"))
        assert [str(problem) for problem in where.list_problems(NOW)] == [
            "copa-image-list: line 1: names no registry: it is read as docker.io/library/nginx:1.25; write that",
            "team-images: line 1: names no registry: it is read as docker.io/library/redis:7; write that",
        ]
        assert decided("docker.io/library/nginx:1.24", where)[2] == "Unlisted"
        assert list(snapshot(image_list("nginx:1.25")).list_problems(NOW)) == []


class TestRow4NotTracked:
    @pytest.mark.parametrize(
        "image", ["nginx", "registry.example.com/myapp/api2:1", "registry.example.com.evil.io/myapp/api:1.4.2"]
    )
    def test_an_image_of_no_tracked_repository_runs(self, image: str) -> None:
        assert decided(image, patched_world()) == (*ALLOWED, "NotTracked")

    def test_but_not_without_a_digest_where_all_must_carry_one(self) -> None:
        where = patched_world(require_digest="all")
        assert decided("nginx:1.25", where) == (*DENIED, "DigestRequired")
        assert decided(f"nginx:1.25@{digest('nginx')}", where) == (*ALLOWED, "NotTracked")

    def test_a_repository_is_tracked_by_a_line_an_approval_or_a_push_target(self) -> None:
        target = "registry.example.com/patched/nginx"
        where = snapshot(
            image_list("nginx:1.25", push_to="docker.io/library = registry.example.com/patched"),
            records({"registry.example.com/gone:1": patched("registry.example.com/gone:1-patched-20260509")}),
        )
        assert decided("nginx:1.24", where)[2] == "Unlisted"
        assert decided(f"{target}:1.25", where)[2] == "Unlisted"
        assert decided("registry.example.com/gone:2", where)[2] == "Unlisted"

    def test_a_record_without_an_approval_tracks_nothing(self) -> None:
        where = snapshot(image_list(), records({TAG: record()}))
        assert decided(TAG, where) == (*ALLOWED, "NotTracked")


class TestRow5ApprovedDigest:
    @pytest.mark.parametrize("image", [PATCHED, PATCHED_PLATFORM, f"{API}:anything@{digest('patched')}"])
    def test_a_fresh_approvals_index_and_platforms_run(self, image: str) -> None:
        assert decided(image, patched_world()) == (*ALLOWED, "Approved")

    def test_an_earlier_approval_runs_while_it_is_fresh(self) -> None:
        earlier = {
            "reference": f"{API}:1.4.2-patched-20260508",
            "digest": digest("earlier"),
            "platforms": {},
            "verified": hours_ago(24),
        }
        where = world({TAG: patched(PATCHED_TAG, earlier=[earlier])})
        assert decided(f"{API}@{digest('earlier')}", where) == (*ALLOWED, "Approved")
        assert decided(f"{API}@{digest('earlier')}", where, now=NOW + SECOND) == (*DENIED, "Stale")

    def test_in_its_own_repository_only(self) -> None:
        where = snapshot(image_list(TAG, "docker.io/library/nginx:1"), records({TAG: patched(PATCHED_TAG)}))
        assert decided(f"nginx@{digest('patched')}", where)[2] == "Unscanned"

    def test_a_source_found_vulnerable_is_no_approval_whatever_another_record_says(self) -> None:
        both = {f"{API}:1": clean(f"{API}:1"), f"{API}:2": record(first_vulnerable=hours_ago(1))}
        where = snapshot(image_list(f"{API}:1", f"{API}:2"), records(both))
        assert decided(SOURCE, where) == (*WARNED, "WithinSla")
        assert decided(f"{API}:1", where) == (*WARNED, "WithinSla")

    def test_a_platform_taken_over_from_the_source_is_approved_with_the_patched_index(self) -> None:
        platforms = {"linux/amd64": digest("patched-amd64"), "linux/arm64": digest("source-arm64")}
        sources = {"linux/amd64": digest("source-amd64"), "linux/arm64": digest("source-arm64")}
        where = world({TAG: patched(PATCHED_TAG, source_platforms=sources, approved_platforms=platforms)})
        assert decided(f"{API}@{digest('source-arm64')}", where) == (*ALLOWED, "Approved")
        assert decided(f"{API}@{digest('source-amd64')}", where) == (*DENIED, "PatchAvailable")

    def test_an_approved_image_that_became_a_vulnerable_source_is_none_and_its_platforms_neither(self) -> None:
        moved = patched(
            PATCHED_TAG,
            source_digest=digest("patched"),
            source_platforms={"linux/amd64": digest("patched-amd64")},
            first_vulnerable=hours_ago(30),
        )
        assert decided(PATCHED, world({TAG: moved})) == (*DENIED, "SlaBreached")
        assert decided(PATCHED_PLATFORM, world({TAG: moved})) == (*DENIED, "SlaBreached")


class TestRow6DigestRequired:
    def test_an_approved_tag_where_tracked_images_must_carry_a_digest(self) -> None:
        found = verdict(PATCHED_TAG, patched_world(require_digest="tracked"))
        assert (found.allowed, found.reason, found.use) == (False, "DigestRequired", USE)

    def test_the_bare_tag_of_a_line_that_carries_one(self) -> None:
        line = f"{TAG}@{digest('source')}"
        where = snapshot(image_list(line), records({TAG: clean(TAG)}))
        found = verdict(TAG, where)
        assert (found.allowed, found.reason, found.use) == (False, "DigestRequired", line)
        assert decided(line, where) == (*ALLOWED, "Approved")

    def test_any_image_where_all_must_and_it_says_where_none_is_approved(self) -> None:
        where = world({TAG: record()}, require_digest="all")
        found = verdict(f"{API}:2", where)
        assert (found.allowed, found.reason, found.use) == (False, "DigestRequired", None)
        assert found.text == "must be named by digest, and none of it is approved now"

    def test_an_unapproved_tag_is_not_asked_for_one_under_tracked(self) -> None:
        assert decided(TAG, world({TAG: record()}, require_digest="tracked")) == (*WARNED, "WithinSla")


class TestRow7Stale:
    @pytest.mark.parametrize("image", [PATCHED_TAG, PATCHED, PATCHED_PLATFORM])
    def test_an_approval_is_fresh_up_to_the_second(self, image: str) -> None:
        where = world({TAG: patched(PATCHED_TAG, verified=hours_ago(24))})
        assert decided(image, where) == (*ALLOWED, "Approved")
        assert decided(image, where, now=NOW + SECOND) == (*DENIED, "Stale")

    def test_the_approved_reference_of_a_fresh_sibling_is_named(self) -> None:
        old = {
            "reference": f"{API}:1.4.2-patched-20260501",
            "digest": digest("old"),
            "platforms": {},
            "verified": hours_ago(99),
        }
        found = verdict(f"{API}@{digest('old')}", world({TAG: patched(PATCHED_TAG, earlier=[old])}))
        assert (found.reason, found.use) == ("Stale", USE)

    @pytest.mark.parametrize(
        ("stale", "last_run", "expected"),
        [
            ("deny", hours_ago(24), DENIED),
            ("deny", hours_ago(24.001), WARNED),
            ("deny", None, WARNED),
            ("deny-always", None, DENIED),
            ("warn", hours_ago(1), WARNED),
        ],
    )
    def test_it_is_the_patchers_fault_where_no_patcher_ran(
        self, stale: str, last_run: str | None, expected: tuple[bool, bool]
    ) -> None:
        where = snapshot(
            image_list(TAG, stale=stale),
            records({TAG: patched(PATCHED_TAG, verified=hours_ago(25))}, last_run=last_run),
        )
        assert decided(PATCHED_TAG, where) == (*expected, "Stale")


class TestRow8ApprovedTag:
    def test_the_tag_of_a_fresh_approval_runs(self) -> None:
        assert decided(PATCHED_TAG, patched_world()) == (*ALLOWED, "Approved")

    def test_a_clean_listed_tag_runs(self) -> None:
        assert decided(TAG, world({TAG: clean(TAG)})) == (*ALLOWED, "Approved")

    @pytest.mark.parametrize(
        ("pull_policy", "expected"),
        [
            ("Always", (*ALLOWED, "Approved")),
            ("IfNotPresent", (*DENIED, "CachedCopy")),
            ("Never", (*DENIED, "CachedCopy")),
            (None, (*WARNED, "CachedCopy")),
        ],
    )
    def test_a_clean_tag_that_named_something_vulnerable_before_may_be_an_old_copy_on_a_node(
        self, pull_policy: str | None, expected: tuple[bool, bool, str]
    ) -> None:
        where = world({TAG: clean(TAG, earlier_sources=[digest("before")])})
        found = verdict(TAG, where, pull_policy=pull_policy)
        assert (found.allowed, found.warns, found.reason) == expected
        assert found.use == (f"{TAG}@{digest('source')}" if expected[2] == "CachedCopy" else None)

    def test_a_tag_that_has_moved_on_is_no_longer_the_approvals(self) -> None:
        before = {"reference": TAG, "digest": digest("clean"), "platforms": {}, "verified": hours_ago(3)}
        where = world({TAG: patched(PATCHED_TAG, earlier=[before])})
        assert decided(TAG, where) == (*DENIED, "PatchAvailable")
        assert decided(f"{API}@{digest('clean')}", where) == (*ALLOWED, "Approved")

    def test_by_digest_it_runs_under_any_pull_policy(self) -> None:
        where = world({TAG: clean(TAG, earlier_sources=[digest("before")])})
        assert decided(f"{TAG}@{digest('source')}", where, pull_policy="Never") == (*ALLOWED, "Approved")


class TestRow9PatchAvailable:
    @pytest.mark.parametrize("image", [TAG, SOURCE, SOURCE_PLATFORM])
    def test_the_listed_tag_and_its_sources_are_refused_and_the_patched_image_named(self, image: str) -> None:
        found = verdict(image, patched_world())
        assert (found.allowed, found.reason, found.use) == (False, "PatchAvailable", USE)
        assert found.message == f"{image}: a patched image is available; use {USE}"

    def test_so_is_what_the_tag_named_before(self) -> None:
        where = world({TAG: clean(TAG, earlier_sources=[digest("before")])})
        found = verdict(f"{API}@{digest('before')}", where)
        assert (found.allowed, found.reason, found.use) == (False, "PatchAvailable", f"{TAG}@{digest('source')}")

    def test_the_patched_image_may_be_in_another_repository(self) -> None:
        target = "registry.example.com/patched/nginx:1.25-patched-20260509"
        where = snapshot(
            image_list("nginx:1.25", push_to="docker.io/library = registry.example.com/patched"),
            records({"docker.io/library/nginx:1.25": patched(target)}),
        )
        assert verdict("nginx:1.25", where).use == f"{target}@{digest('patched')}"
        assert decided(target, where) == (*ALLOWED, "Approved")

    def test_of_two_records_of_one_source_the_one_with_an_approval_decides(self) -> None:
        both = {f"{API}:1": clean(f"{API}:1", verified=hours_ago(20)), f"{API}:2": patched(f"{API}:2-patched-20260509")}
        where = snapshot(image_list(f"{API}:1", f"{API}:2"), records(both))
        assert decided(SOURCE, where) == (*DENIED, "PatchAvailable")

    def test_a_vulnerable_source_is_no_approval_in_the_repository_it_was_pushed_to(self) -> None:
        target = "registry.example.com/patched/nginx:1-patched-20260509"
        same = patched(target, approved_digest=digest("source"), approved_platforms={})
        where = snapshot(
            image_list("nginx:1", push_to="docker.io/library = registry.example.com/patched"),
            records({"docker.io/library/nginx:1": same}),
        )
        assert decided(target, where) == (*DENIED, "Unlisted")
        assert decided("nginx:1", where) == (*WARNED, "WithinSla")

    def test_a_stale_approval_is_never_advised(self) -> None:
        found = verdict(TAG, world({TAG: patched(PATCHED_TAG, verified=hours_ago(25))}))
        assert (found.allowed, found.reason, found.use) == (False, "PatchAvailable", None)
        assert found.text == "was patched, but that approval is stale: it must be verified again"

    def test_a_controller_may_recreate_the_old_image_within_the_grace(self) -> None:
        where = world({TAG: patched(PATCHED_TAG, patched=hours_ago(24), verified=hours_ago(1))})
        assert decided(TAG, where, is_controller=True) == (*WARNED, "PatchAvailable")
        assert decided(TAG, where, is_controller=True, now=NOW + SECOND) == (*DENIED, "PatchAvailable")
        assert decided(TAG, where, is_controller=False) == (*DENIED, "PatchAvailable")

    def test_the_digests_txt_of_the_article_counts_where_there_is_no_record(self) -> None:
        line = f"{API}@{digest('patched')}  # patched from {TAG} on 20260509"
        where = world(None, line)
        assert verdict(TAG, where).use == USE
        assert decided(PATCHED_TAG, where) == (*ALLOWED, "Approved")
        assert decided(TAG, world({TAG: record()}, line)) == (*WARNED, "WithinSla")


class TestRow10Unpatchable:
    @pytest.mark.parametrize(("unpatchable", "expected"), [("warn", WARNED), ("deny", DENIED)])
    def test_what_cannot_be_patched_is_as_the_policy_says(self, unpatchable: str, expected: tuple[bool, bool]) -> None:
        where = world({TAG: record(state="unpatchable", message="no OS packages")}, unpatchable=unpatchable)
        found = verdict(TAG, where)
        assert (found.allowed, found.warns, found.reason) == (*expected, "Unpatchable")
        assert found.text == "cannot be patched: no OS packages; rebuild it on a newer base or ask for an exception"

    def test_an_approval_comes_first_whatever_the_state(self) -> None:
        assert decided(TAG, world({TAG: patched(PATCHED_TAG, state="unpatchable")})) == (*DENIED, "PatchAvailable")


class TestRows10And11Sla:
    @pytest.mark.parametrize("image", [TAG, SOURCE, SOURCE_PLATFORM])
    def test_the_sla_ends_at_the_second(self, image: str) -> None:
        where = world({TAG: record(first_vulnerable=hours_ago(24))}, stale_after_hours="48")
        assert decided(image, where, now=NOW - SECOND) == (*WARNED, "WithinSla")
        assert decided(image, where) == (*DENIED, "SlaBreached")

    def test_the_warning_says_the_time_left_and_the_denial_what_failed(self) -> None:
        where = world({TAG: record(first_vulnerable=hours_ago(0.25))})
        assert verdict(TAG, where).text == "not approved yet; it will be refused in 23 h 45 min"
        assert verdict(TAG, where, now=NOW + timedelta(hours=24)).text == (
            "not approved within 24 h of 2026-05-09T11:45:00Z: the package mirror does not carry the fix yet; "
            "fix that or request an exception"
        )

    def test_the_clock_starts_with_the_first_attempt_where_no_scan_succeeded(self) -> None:
        where = world({TAG: record(state="failed", first_vulnerable=None, first_seen=hours_ago(23.9), message="")})
        assert decided(TAG, where) == (*WARNED, "WithinSla")
        breached = verdict(TAG, where, now=NOW + timedelta(hours=1))
        assert breached.text.endswith("the patcher gave no reason; fix that or request an exception")

    def test_an_sla_of_no_hours_denies_at_once(self) -> None:
        assert decided(TAG, world({TAG: record(first_vulnerable=hours_ago(0))}, patch_sla_hours="0")) == (
            *DENIED,
            "SlaBreached",
        )

    def test_of_two_tags_of_one_source_the_clock_that_started_first_counts(self) -> None:
        both = {f"{API}:1": record(first_vulnerable=hours_ago(1)), f"{API}:2": record(first_vulnerable=hours_ago(30))}
        where = snapshot(image_list(f"{API}:1", f"{API}:2"), records(both))
        assert decided(SOURCE, where) == (*DENIED, "SlaBreached")
        assert decided(f"{API}:1", where) == (*WARNED, "WithinSla")


class TestRow13Unscanned:
    @pytest.mark.parametrize(("unscanned", "expected"), [("warn", WARNED), ("deny", DENIED)])
    def test_a_listed_tag_without_a_record_is_as_the_policy_says(
        self, unscanned: str, expected: tuple[bool, bool]
    ) -> None:
        assert decided(TAG, world(unscanned=unscanned)) == (*expected, "Unscanned")

    def test_so_is_any_digest_while_some_line_has_no_record(self) -> None:
        assert decided(f"{API}@{digest('new')}", world()) == (*WARNED, "Unscanned")
        assert decided(f"{API}@{digest('new')}", world({TAG: record()})) == (*DENIED, "Unlisted")

    def test_a_pattern_lists_every_tag_but_those_that_the_patcher_makes(self) -> None:
        where = snapshot(image_list(f"{API}:3.12.*"), records({f"{API}:3.12.1": record()}))
        assert decided(f"{API}:3.12.4", where) == (*WARNED, "Unscanned")
        assert decided(f"{API}:3.12.1", where) == (*WARNED, "WithinSla")
        assert decided(f"{API}:3.12.4-patched-20260509", where) == (*DENIED, "Unlisted")
        assert decided(f"{API}:3.12.4-candidate-20260509.02", where) == (*DENIED, "Unlisted")

    def test_a_line_whose_new_digest_the_patcher_has_not_seen_has_no_record_yet(self) -> None:
        where = snapshot(image_list(f"{TAG}@{digest('new')}"), records({TAG: record()}))
        assert decided(f"{TAG}@{digest('new')}", where) == (*WARNED, "Unscanned")
        assert decided(f"{API}@{digest('another')}", where) == (*DENIED, "Unlisted")

    def test_a_line_that_a_team_adds_loosens_nothing_in_a_repository_of_the_main_list(self) -> None:
        with_team = snapshot(
            image_list(TAG),
            team_list(f"{API}:0.*", f"{PATCHED_TAG}@{digest('x')}"),
            records({TAG: patched(PATCHED_TAG)}),
        )
        assert decided(f"{API}@{digest('another')}", with_team) == (*DENIED, "Unlisted")
        assert decided(PATCHED_TAG, with_team) == (*ALLOWED, "Approved")
        assert decided(f"{API}:0.9", with_team) == (*WARNED, "Unscanned")


class TestRow14Unlisted:
    @pytest.mark.parametrize(("unlisted", "expected"), [("deny", DENIED), ("warn", WARNED), ("allow", ALLOWED)])
    @pytest.mark.parametrize("image", [f"{API}:9", f"{API}@{digest('unknown')}", API])
    def test_anything_else_of_a_tracked_repository_is_as_the_policy_says(
        self, image: str, unlisted: str, expected: tuple[bool, bool]
    ) -> None:
        assert decided(image, world({TAG: record()}, unlisted=unlisted)) == (*expected, "Unlisted")

    def test_a_repository_that_only_labelled_lists_name_is_never_denied_for_it(self) -> None:
        teams = "registry.example.com/team/app"
        where = snapshot(image_list(TAG), team_list(f"{teams}:1"), records({f"{teams}:1": record()}))
        assert decided(f"{teams}:2", where) == (*WARNED, "Unlisted")

    def test_a_record_that_is_no_longer_listed_lists_nothing(self) -> None:
        where = snapshot(image_list(f"{API}:2"), records({TAG: patched(PATCHED_TAG), f"{API}:2": record()}))
        assert decided(TAG, where) == (*DENIED, "Unlisted")
        assert decided(SOURCE, where) == (*DENIED, "PatchAvailable")


def test_a_long_image_keeps_its_digest_whole_in_the_verdict() -> None:
    named = verdict(f"{LONG}@{digest('x')}", patched_world()).image
    assert (len(named), named.startswith(LONG[:100]), named.endswith(f"…@{digest('x')}")) == (200, True, True)


class TestOnlyBadLines:
    """A repository that only lines without effect name."""

    def test_it_is_warned_about_and_the_message_says_where_and_what_to_write(self) -> None:
        found = verdict("nginx:1.25", snapshot(image_list(TAG, "nginx")))
        assert (found.allowed, found.warns, found.reason) == (*WARNED, "Unlisted")
        where = "only copa-image-list, line 2 names its repository, and that line has no effect"
        assert found.text == f"{where}: has no tag: write REPO:TAG or REPO:TAG@DIGEST"

    def test_a_mirror_of_it_is_the_same_repository(self) -> None:
        where = snapshot(image_list("mirror.gcr.io/nginx", mirrors="mirror.gcr.io = docker.io"))
        assert decided("nginx:1.25", where) == (*WARNED, "Unlisted")

    def test_joined_lines_name_each_of_their_repositories(self) -> None:
        where = snapshot(image_list(f"{TAG} registry.example.com/other:1"))
        for image in (TAG, "registry.example.com/other:1"):
            assert "write `images.txt: |`" in verdict(image, where).text
            assert decided(image, where) == (*WARNED, "Unlisted")

    @pytest.mark.parametrize(
        "others",
        [
            (image_list("nginx", "nginx:1"),),
            (image_list("nginx"), team_list("nginx:1")),
            (image_list("nginx", push_to="quay.io = docker.io/library/nginx"),),
            (image_list("nginx"), records({TAG: patched("docker.io/library/nginx:1-patched-20260509")})),
        ],
        ids=["a good line", "a good line of another list", "a push target", "an approval"],
    )
    def test_what_else_tracks_it_decides(self, others: tuple[ConfigMap, ...]) -> None:
        assert decided("nginx:1.25", snapshot(*others)) == (*DENIED, "Unlisted")

    def test_a_list_that_loses_its_last_good_line_keeps_what_it_had(self) -> None:
        before = snapshot(image_list(TAG), records({TAG: record(first_vulnerable=hours_ago(30))}))
        after = snapshot(image_list(f"{TAG} nginx:1"), previous=before)
        assert decided(TAG, after) == (*DENIED, "SlaBreached")
        assert "names no good image any more; the last good list stays in force" in str(list(after.list_problems(NOW)))
