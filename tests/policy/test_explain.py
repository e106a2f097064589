"""The explanation: each row with why it did not answer, the one that did, and the places that it rests on."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.case import Asker
from patchgate.policy.explain import Answer, Explanation, explain
from patchgate.policy.workload import Image
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
)

API = "registry.example.com/myapp/api"
TAG = f"{API}:1.4.2"
PATCHED_TAG = f"{API}:1.4.2-patched-20260509"


def explained(image: str, *configmaps: ConfigMap, namespace: str | None = "shop") -> Explanation:
    return explain(Image(image), snapshot(*configmaps), Asker(namespace), NOW)


def silences(explanation: Explanation) -> list[str]:
    """Why each row before the one that answered did not."""
    return [row.why for row in explanation.rows if row.answer is Answer.SILENT]


def origins(explanation: Explanation) -> list[tuple[str, str]]:
    return [(origin.kind, str(origin)) for origin in explanation.origins]


def excepting(image: str, expires: str = "2026-06-01T00:00:00Z", namespaces: str = "[shop]") -> str:
    return f"- {{image: '{image}', namespaces: {namespaces}, reason: r, owner: o, expires: {expires}}}\n"


class TestRows:
    def test_all_rows_are_there_and_those_after_the_answer_were_not_asked(self) -> None:
        explanation = explained(TAG, image_list(TAG), records({TAG: patched(PATCHED_TAG)}))
        assert [row.number for row in explanation.rows] == list(range(1, 15))
        assert [row.answer for row in explanation.rows] == ["no"] * 8 + ["yes"] + ["not asked"] * 5
        assert explanation.decided_by == 9
        assert explanation.rows[8].why == explanation.verdict.text == "a patched image is available"
        assert {row.why for row in explanation.rows[9:]} == {""}

    def test_a_listed_tag_with_a_patched_image(self) -> None:
        assert silences(explained(TAG, image_list(TAG), records({TAG: patched(PATCHED_TAG)}))) == [
            f"it is {TAG}",
            "no exception names its repository",
            "its name has a registry",
            f"{API} is tracked",
            "it is named by tag",
            "the policy and its line want none",
            "no approval is of this tag",
            "no approval is of this tag",
        ]

    def test_what_does_not_parse_asks_one_row_and_has_no_name(self) -> None:
        explanation = explained("NGINX@", image_list(TAG))
        assert (explanation.decided_by, explanation.reference, silences(explanation)) == (1, None, [])

    def test_an_image_is_shown_under_its_own_name(self) -> None:
        explanation = explained("mirror.gcr.io/nginx", image_list(TAG, mirrors="mirror.gcr.io = docker.io"))
        assert (explanation.reference, explanation.decided_by) == ("docker.io/library/nginx:latest", 4)

    def test_a_name_without_a_registry_says_what_the_policy_makes_of_it(self) -> None:
        why = "its name has no registry, and the policy says unqualified: allow"
        assert silences(explained("nginx", image_list(TAG)))[2] == why
        refused = explained("nginx", image_list(TAG, unqualified="deny"))
        assert (refused.decided_by, origins(refused)) == (3, [("policy", "copa-image-list: unqualified: deny")])

    def test_the_approved_tag_says_to_when_it_is_fresh(self) -> None:
        explanation = explained(PATCHED_TAG, image_list(TAG), records({TAG: patched(PATCHED_TAG)}))
        assert silences(explanation)[6] == "its approval is fresh until 2026-05-10T11:00:00Z"
        assert explanation.decided_by == 8

    def test_a_digest_whose_approval_is_stale(self) -> None:
        world = (image_list(TAG), records({TAG: patched(PATCHED_TAG, verified=hours_ago(90))}))
        explanation = explained(f"{API}@{digest('patched')}", *world)
        assert silences(explanation)[4:] == ["its approval is not fresh", "it carries a digest"]
        assert explanation.decided_by == 7

    def test_a_digest_that_nobody_knows(self) -> None:
        world = (image_list(TAG), records({TAG: patched(PATCHED_TAG)}))
        explanation = explained(f"{API}@{digest('unknown')}", *world)
        assert silences(explanation)[4:] == [
            "no approval is of this digest",
            "it carries a digest",
            "no approval is of this digest",
            "no approval is of this digest",
            *["it is no source of any record"] * 4,
            "every line of its repository has a record",
        ]
        assert explanation.decided_by == 14

    def test_a_tag_that_no_line_lists(self) -> None:
        explanation = explained(f"{API}:9", image_list(TAG))
        assert silences(explanation)[8:] == ["no list line lists this tag"] * 5
        assert explanation.decided_by == 14

    def test_a_listed_tag_without_a_record(self) -> None:
        explanation = explained(TAG, image_list(TAG))
        assert silences(explanation)[8:] == ["there is no record of it yet"] * 4
        assert explanation.decided_by == 13

    def test_an_image_whose_time_is_over(self) -> None:
        world = (image_list(TAG), records({TAG: record(first_vulnerable=hours_ago(30))}))
        explanation = explained(TAG, *world)
        assert silences(explanation)[8:] == [
            "its record has no approval",
            "its record says pending",
            "the SLA was over at 2026-05-09T06:00:00Z",
        ]
        assert explanation.decided_by == 12


class TestExceptionsThatDoNotHold:
    @pytest.mark.parametrize(
        ("entry", "why"),
        [
            (excepting(f"{API}:1.*", "2026-05-09T11:00:00Z"), f"that of {API}:1.* expired at 2026-05-09T11:00:00Z"),
            (excepting(f"{API}:1.*", namespaces="[staging]"), f"that of {API}:1.* is for other namespaces"),
            (excepting(f"{API}:2"), f"that of {API}:2 is for other tags or digests"),
            (
                excepting(f"{API}:2") + excepting(f"{API}:3") + excepting("registry.example.com/**:4"),
                f"that of {API}:2 is for other tags or digests; nor do 2 others hold",
            ),
        ],
    )
    def test_it_says_of_the_first_why(self, entry: str, why: str) -> None:
        assert silences(explained(TAG, image_list(TAG), exceptions(entry)))[1] == why


class TestOrigins:
    def test_the_line_and_the_record(self) -> None:
        world = (image_list("# ours", TAG), records(name="copa-patched-digests-3", by_key={TAG: patched(PATCHED_TAG)}))
        found = [("list line", "copa-image-list: line 2"), ("record", f"copa-patched-digests-3: {TAG}")]
        assert origins(explained(TAG, *world)) == found

    def test_a_digest_has_the_line_of_the_tag_whose_source_it_is(self) -> None:
        world = (image_list(TAG), records({TAG: patched(PATCHED_TAG)}))
        found = [("list line", "copa-image-list: line 1"), ("record", f"copa-patched-digests: {TAG}")]
        assert origins(explained(f"{API}@{digest('source')}", *world)) == found

    def test_an_approved_tag_has_the_record_that_approves_it(self) -> None:
        world = (image_list(TAG), records({TAG: patched(PATCHED_TAG)}))
        assert ("record", f"copa-patched-digests: {TAG}") in origins(explained(PATCHED_TAG, *world))

    def test_a_line_of_digests_txt(self) -> None:
        line = f"{API}@{digest('patched')} # patched from {TAG} on 20260508"
        world = (image_list(TAG), records(), records(digests=[line], name="copa-patched-digests-1"))
        found = origins(explained(f"{API}@{digest('patched')}", *world))
        assert ("record", f"copa-patched-digests-1: digests.txt, lines of {TAG}") in found

    def test_a_record_under_a_mirrors_name(self) -> None:
        world = (
            image_list("nginx:1", mirrors="mirror.gcr.io = docker.io"),
            records({"mirror.gcr.io/library/nginx:1": clean("mirror.gcr.io/library/nginx:1")}),
        )
        assert origins(explained("nginx:1", *world)) == [
            ("list line", "copa-image-list: line 1"),
            ("record", "copa-patched-digests: docker.io/library/nginx:1"),
        ]

    def test_an_unlisted_image_has_what_tracks_its_repository_and_the_setting(self) -> None:
        assert origins(explained(f"{API}:9", image_list(TAG), team_list(f"{API}:3"))) == [
            ("tracks the repository", "copa-image-list: line 1"),
            ("policy", "copa-image-list: unlisted: deny"),
        ]

    def test_a_repository_that_a_push_target_tracks(self) -> None:
        world = image_list("nginx:1", push_to="docker.io/library = registry.example.com/patched")
        found = origins(explained("registry.example.com/patched/nginx:7", world))
        assert found[0] == (
            "tracks the repository",
            "copa-image-list: push_to, or a line of it that does not parse",
        )

    def test_a_repository_that_an_approval_alone_tracks_has_no_list(self) -> None:
        found = origins(explained(PATCHED_TAG, image_list(), records({TAG: patched(PATCHED_TAG)})))
        assert found == [("record", f"copa-patched-digests: {TAG}")]

    def test_another_image_of_it_has_the_record_that_tracks_it(self) -> None:
        world = (image_list(), records(), records({TAG: patched(PATCHED_TAG)}, name="copa-patched-digests-2"))
        assert origins(explained(f"{API}:9", *world)) == [
            ("tracks the repository", f"copa-patched-digests-2: {TAG}"),
            ("policy", "copa-image-list: unlisted: deny"),
        ]

    def test_a_digest_that_the_line_wants_is_no_setting_of_the_policy(self) -> None:
        pinned = image_list(f"{TAG}@{digest('source')}")
        assert origins(explained(TAG, pinned)) == [("list line", "copa-image-list: line 1")]
        required = image_list(TAG, require_digest="all")
        assert ("policy", "copa-image-list: require_digest: all") in origins(explained(TAG, required))

    def test_an_exception(self) -> None:
        found = origins(explained("nginx", image_list(TAG), exceptions(excepting("docker.io/library/nginx"))))
        assert found == [("exception", "copa-exceptions: the entry of docker.io/library/nginx")]

    def test_what_is_not_tracked_rests_on_nothing(self) -> None:
        assert origins(explained("nginx", image_list(TAG), records())) == []


def test_the_longest_names_and_hostile_ones_are_made_fit_to_show() -> None:
    found = explained("\x1b[31m\u202e" * 900, image_list(TAG))
    assert all(line.isprintable() for row in found.rows for line in (row.why, found.verdict.image))
