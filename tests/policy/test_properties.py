"""What holds of every reference and every verdict, whatever people, attackers and broken data come up with."""

import functools
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.explain import explain
from patchgate.policy.mirror import Mirror, Mirrors
from patchgate.policy.overview import list_tracked_images
from patchgate.policy.policy import Naming
from patchgate.policy.reference import Reference, normalise_path, normalise_registry
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason, Verdict
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
    verdict,
)

R = "registry.example.com"
LONG = f"{R}/team/a-very-long-path/that-leaves-a-warning/no-room-for-the-whole-reference"
LINES = [f"{R}/app/{tag}" for tag in ("api:1", "api:2.*", "clean:1", "cached:1", "due:1", "late:1", "old:1", "no:1")]
RECORDS = {
    f"{R}/app/api:1": patched(f"{R}/app/api:1-patched-20260509"),
    f"{R}/app/clean:1": clean(f"{R}/app/clean:1", source_digest=digest("c"), approved_digest=digest("c")),
    f"{R}/app/cached:1": clean(f"{R}/app/cached:1", earlier_sources=[digest("cached")]),
    f"{R}/app/due:1": record(message="wait\x1b[31m \u202efor it\n" * 20),
    f"{R}/app/late:1": record(first_vulnerable=hours_ago(100), message="push refused"),
    f"{R}/app/old:1": patched(f"{R}/app/old:1-patched-20260501", verified=hours_ago(90)),
    f"{R}/app/no:1": record(state="unpatchable"),
    f"{LONG}:1": patched(f"{LONG}:1-patched-20260509"),
    "nginx:1": patched(f"{R}/patched/nginx:1-patched-20260509"),
}
NAMES = {
    "mirrors": "mirror.gcr.io = docker.io\nharbor.example.com/hub = docker.io",
    "push_to": f"docker.io/library = {R}/patched",
}
POLICIES: list[dict[str, str]] = [
    {},
    {"require_digest": "tracked", "stale": "warn", "unlisted": "warn"},
    {"require_digest": "all", "stale": "deny-always", "unscanned": "deny", "unpatchable": "deny"},
    {"patch_sla_hours": "0", "unlisted": "allow", "rollout_grace_hours": "0"},
    {"unqualified": "deny", "require_digest": "tracked"},
    {"unqualified": "warn", "stale": "warn"},
]


def excepting(image: str, reason: str = "vendor\tfix") -> str:
    entry = {"image": image, "namespaces": ["shop"], "reason": reason, "owner": "o", "expires": "2026-05-20T00:00:00Z"}
    return f"- {json.dumps(entry)}\n"


@functools.cache
def rich_world(policy: int = 0) -> Snapshot:
    """Something for every row of the decision table."""
    listed = image_list(*LINES, f"{LONG}:1", "nginx:1", **NAMES, **POLICIES[policy])
    return snapshot(
        listed, team_list("redis:7", f"{R}/app/api:3"), records(RECORDS), exceptions(excepting(f"{R}/app/late:*"))
    )


HOSTS = [
    "",
    "docker.io/",
    "Index.Docker.IO:0443/",
    "mirror.gcr.io/",
    "harbor.example.com/hub/",
    f"{R}/",
    "R.io:05000/",
    "Registry/",
    "[0::1]:443/",
]
SEEDS = ["source", "source-amd64", "patched", "patched-amd64", "c", "cached", "unknown"]
DIGESTS = [f"@{digest(seed)}" for seed in SEEDS] + ["@sha512:" + "0" * 128]
TAGS = [":1", ":2.5", ":3", ":latest", ":1-patched-20260509", ":1-patched-20260501", ""]
PATHS = ["nginx", "library/nginx", "redis", *(key.removeprefix(f"{R}/").rpartition(":")[0] for key in RECORDS)]
REFERENCES = st.tuples(*(st.sampled_from(parts) for parts in (HOSTS, PATHS, TAGS, ["", *DIGESTS]))).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A reference with something else in one place."""
    text = draw(REFERENCES)
    start = draw(st.integers(0, len(text)))
    return text[:start] + draw(st.text(st.characters(), max_size=3)) + text[start + draw(st.integers(0, 3)) :]


LISTED = [image for key in RECORDS for image in (key, f"{key.rpartition(':')[0]}@{digest('source')}")]
IMAGES = st.one_of(
    st.sampled_from(LISTED), REFERENCES, mutated(), st.text(st.characters()), st.text("a:@/.\x00", max_size=2000)
)


@dataclass(frozen=True)
class Judged:
    """A verdict, and the world and time in which it was given."""

    verdict: Verdict
    world: Snapshot
    asker: Asker
    now: datetime


def judge(image: str, pull_policy: str | None, policy: int, asker: Asker, now: datetime) -> Judged:
    world = rich_world(policy)
    return Judged(decide(Image(image, pull_policy), world, asker, now), world, asker, now)


def judgements(images: st.SearchStrategy[str], hours: list[int]) -> st.SearchStrategy[Judged]:
    return st.builds(
        judge,
        images,
        st.sampled_from(["Always", "IfNotPresent", "Never", None]),
        st.integers(0, len(POLICIES) - 1),
        st.builds(Asker, st.sampled_from(["shop", None]), st.booleans()),
        st.sampled_from(hours).map(lambda after: NOW + timedelta(hours=after)),
    )


JUDGED = judgements(IMAGES, [-50, 0, 1, 20, 100, 5000])


@given(REFERENCES)
def test_a_reference_parsed_again_is_the_same(text: str) -> None:
    reference = Reference.parse(text)
    assert Reference.parse(str(reference)) == reference


@given(st.sampled_from([host.rstrip("/") or "a.b" for host in HOSTS]), st.sampled_from(PATHS))
def test_normalising_twice_is_normalising_once(host: str, path: str) -> None:
    registry = normalise_registry(host)
    assert normalise_registry(registry) == registry
    full_path = normalise_path(registry, path)
    assert normalise_path(registry, full_path) == full_path
    naming = Naming(Mirrors.of([Mirror("mirror.gcr.io", "docker.io"), Mirror("harbor.example.com/hub", "docker.io")]))
    canonical = naming.canonical(f"{registry}/{full_path}")
    assert naming.canonical(canonical) == canonical


HUB = ["", "docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "mirror.gcr.io"]
PORTS = st.sampled_from(["", ":443", ":0443", ":000443"])


@st.composite
def aliases(draw: st.DrawFn) -> str:
    """Another spelling of a repository that the rich world tracks, with any tag and digest."""
    host, path = draw(st.sampled_from([*((host, "nginx") for host in HUB), (R, "app/api"), (R, "patched/nginx")]))
    library = draw(st.sampled_from(["", "library/"])) if host in HUB else ""
    flips = draw(st.lists(st.booleans(), min_size=len(host), max_size=len(host)))
    spelled = "".join(letter.upper() if flip else letter for letter, flip in zip(host, flips, strict=True))
    registry = f"{spelled}{draw(PORTS)}/" if host else ""
    return f"{registry}{library}{path}{draw(st.sampled_from(TAGS))}{draw(st.sampled_from(['', *DIGESTS]))}"


@given(IMAGES, st.integers(0, len(POLICIES) - 1), st.sampled_from([0, 20, 100]), st.booleans())
def test_an_explanation_has_the_verdict_of_the_decision_and_fits_to_be_shown(
    text: str, policy: int, hours: int, is_controller: bool
) -> None:
    image, world, asker, now = (
        Image(text),
        rich_world(policy),
        Asker("shop", is_controller),
        NOW + timedelta(hours=hours),
    )
    explanation = explain(image, world, asker, now)
    event(explanation.verdict.reason)
    assert explanation.verdict == decide(image, world, asker, now)
    assert all(row.why.isprintable() for row in explanation.rows)
    assert all(row.why for row in explanation.rows[: explanation.decided_by])


@settings(max_examples=300)
@given(aliases())
def test_no_spelling_of_a_tracked_repository_escapes(text: str) -> None:
    assert verdict(text, rich_world()).reason is not Reason.NOT_TRACKED


BAD_LINES = ["Nginx:1", f"https://{R}/app/api:1", "nginx::", "@@", "\x00", "-:1", "NGINX@sha256:1:1:1 \u202e", "[::1]"]
GOOD_LINES = [f"{R}/app/api:1", "nginx:1", "nginx:2.*", f"redis:7@{digest('r')}"]
BAD_RECORDS: dict[str, object] = {
    "nginx": record(),
    "Nginx:1": record(),
    "a:1": None,
    "b:1": record(updated="tomorrow"),
    "c:1": record(first_seen=7),
    "d:1": record(approved_reference="d:1"),
    "e:1": record(source_digest="unknown"),
    "f:1": patched("f@unknown"),
}


@given(
    st.lists(st.sampled_from(GOOD_LINES + BAD_LINES), max_size=8),
    st.lists(st.sampled_from([*RECORDS, *BAD_RECORDS]), unique=True),
    st.lists(st.sampled_from([excepting(f"{R}/x"), "- {image: nginx}\n", "- 7\n", excepting("nginx")])),
    st.lists(
        st.sampled_from([f"{R}/l@{digest('l')} # clean {R}/l:1 on 20260508", "repo@unknown # clean x:1 on 20260508"])
    ),
)
def test_bad_entries_cost_the_good_ones_nothing(
    lines: list[str], keys: list[str], entries: list[str], digests: list[str]
) -> None:
    every: dict[str, object] = {**BAD_RECORDS, **RECORDS}

    def read(*, with_bad: bool) -> Snapshot:
        listed = [text if with_bad or text in GOOD_LINES else "# bad" for text in lines]
        content = {"schema": 1, "records": {key: every[key] for key in keys if with_bad or key in RECORDS}}
        approved = [text for text in digests if with_bad or "unknown" not in text]
        data = {"records.json": json.dumps(content), "digests.txt": "\n".join(approved)}
        excepted = [entry for entry in entries if with_bad or entry == excepting(f"{R}/x")]
        return snapshot(
            image_list(*listed, **NAMES),
            ConfigMap("copa-patched-digests", {}, data),
            exceptions("".join(excepted)),
        )

    mixed, good = read(with_bad=True), read(with_bad=False)
    assert mixed.repositories == good.repositories
    assert (mixed.exceptions, mixed.policy, mixed.last_run) == (good.exceptions, good.policy, good.last_run)


@settings(max_examples=300)
@given(JUDGED)
def test_every_text_gets_a_verdict_with_a_reason_of_the_table_that_says_something(judged: Judged) -> None:
    assert judged.verdict.reason not in (Reason.NO_IMAGES, Reason.INVALID_OBJECT)
    assert judged.verdict.text.strip() != ""
    assert judged.verdict.text in judged.verdict.message


@settings(max_examples=300)
@given(JUDGED)
def test_warnings_are_short_and_printable(judged: Judged) -> None:
    warnings = judged.verdict.warnings
    assert [line for line in warnings if not 0 < len(line) <= 120] == []
    assert [line for line in warnings if any(unicodedata.category(letter) == "Cc" for letter in line)] == []


@settings(max_examples=300)
@given(judgements(st.sampled_from(LISTED), [0, 20, 23, 24]))
def test_what_a_verdict_says_to_use_is_approved_then_and_there(judged: Judged) -> None:
    use = judged.verdict.use
    event(f"says what to use: {use is not None}")
    if use:
        for pull_policy in ("IfNotPresent", "Always", "Never", None):
            again = decide(Image(use, pull_policy), judged.world, judged.asker, judged.now)
            assert (again.allowed, again.reason) == (True, Reason.APPROVED)


@pytest.mark.parametrize("policy", range(len(POLICIES)))
@pytest.mark.parametrize("hours", [0, 20, 23, 24, 100])
def test_what_page_and_report_offer_is_approved_then_and_there(policy: int, hours: int) -> None:
    world, now = rich_world(policy), NOW + timedelta(hours=hours)
    offered = [str(image.approval) for image in list_tracked_images(world, now) if image.approval]
    assert all("@sha256:" in use and ":1" in use for use in offered)
    verdicts = [decide(Image(use, "IfNotPresent"), world, Asker("shop"), now) for use in offered]
    assert {verdict.reason for verdict in verdicts} <= {Reason.APPROVED}
    assert all(verdict.allowed for verdict in verdicts)


def test_the_rich_world_has_something_for_every_row() -> None:
    images = {
        "@": Reason.INVALID_REFERENCE,
        f"{R}/app/late:1": Reason.EXCEPTED,
        "untracked/image": Reason.NOT_TRACKED,
        f"{R}/app/api:1-patched-20260509": Reason.APPROVED,
        f"{R}/app/old:1-patched-20260501": Reason.STALE,
        f"{R}/app/cached:1": Reason.CACHED_COPY,
        "nginx:1": Reason.PATCH_AVAILABLE,
        f"{R}/app/no:1": Reason.UNPATCHABLE,
        f"{R}/app/due:1": Reason.WITHIN_SLA,
        f"{R}/app/api:2.5": Reason.UNSCANNED,
        "redis:1": Reason.UNLISTED,
    }
    assert {image: verdict(image, rich_world()).reason for image in images} == images
    assert verdict(f"{R}/app/late:1", rich_world(), namespace=None).reason is Reason.SLA_BREACHED
    assert verdict("untracked/image", rich_world(2)).reason is Reason.DIGEST_REQUIRED
