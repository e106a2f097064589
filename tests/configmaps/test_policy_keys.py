"""The policy beside the main image list: each key's values, its default, and what a wrong value keeps."""

from datetime import timedelta

import pytest

from patchgate.configmaps.policy_keys import read_policy
from patchgate.policy.mirror import Mirror, Mirrors
from patchgate.policy.policy import DigestRequirement, Effect, Naming, Policy, Severity, StaleEffect
from tests.world import image_list

GOOD = [
    ("severity_threshold", "UNKNOWN", "severity_threshold", Severity.UNKNOWN),
    ("severity_threshold", "LOW", "severity_threshold", Severity.LOW),
    ("severity_threshold", "MEDIUM", "severity_threshold", Severity.MEDIUM),
    ("severity_threshold", " HIGH \n", "severity_threshold", Severity.HIGH),
    ("severity_threshold", "CRITICAL", "severity_threshold", Severity.CRITICAL),
    ("patch_sla_hours", "72", "patch_sla", timedelta(days=3)),
    ("patch_sla_hours", "0", "patch_sla", timedelta()),
    ("patch_sla_hours", "87600", "patch_sla", timedelta(days=3650)),
    ("stale_after_hours", "1", "stale_after", timedelta(hours=1)),
    ("stale_after_hours", "87600", "stale_after", timedelta(days=3650)),
    ("rollout_grace_hours", "0", "rollout_grace", timedelta()),
    ("rollout_grace_hours", "36", "rollout_grace", timedelta(hours=36)),
    ("stale", "deny", "stale", StaleEffect.DENY),
    ("stale", "deny-always", "stale", StaleEffect.DENY_ALWAYS),
    ("stale", "warn", "stale", StaleEffect.WARN),
    ("unscanned", "deny", "unscanned", Effect.DENY),
    ("unscanned", "warn", "unscanned", Effect.WARN),
    ("unlisted", "deny", "unlisted", Effect.DENY),
    ("unlisted", "warn", "unlisted", Effect.WARN),
    ("unlisted", "allow", "unlisted", Effect.ALLOW),
    ("unpatchable", "deny", "unpatchable", Effect.DENY),
    ("unpatchable", "warn", "unpatchable", Effect.WARN),
    ("require_digest", "no", "require_digest", DigestRequirement.NO),
    ("require_digest", "tracked", "require_digest", DigestRequirement.TRACKED),
    ("require_digest", "all", "require_digest", DigestRequirement.ALL),
    ("platforms", "linux/arm64", "platforms", ("linux/arm64",)),
    ("platforms", "linux/amd64, linux/arm/v7,linux/amd64", "platforms", ("linux/amd64", "linux/arm/v7")),
]
WRONG = [
    ("severity_threshold", "critical", "write one of UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL"),
    ("patch_sla_hours", "-1", "write whole hours, at most 87600"),
    ("patch_sla_hours", "24h", "write whole hours, at most 87600"),
    ("patch_sla_hours", "1.5", "write whole hours, at most 87600"),
    ("patch_sla_hours", "", "write whole hours, at most 87600"),
    ("patch_sla_hours", "٢٤", "write whole hours, at most 87600"),
    ("patch_sla_hours", "87601", "write whole hours, at most 87600"),
    ("patch_sla_hours", "9" * 5000, "write whole hours, at most 87600"),
    ("stale_after_hours", "soon", "write whole hours, at most 87600"),
    ("stale_after_hours", "0", "write at least 1: with 0 every approval would be stale at once"),
    ("rollout_grace_hours", "a day", "write whole hours, at most 87600"),
    ("stale", "allow", "write one of deny, deny-always, warn"),
    ("unscanned", "allow", "write deny or warn"),
    ("unlisted", "no", "write one of deny, warn, allow"),
    ("unpatchable", "allow", "write deny or warn"),
    ("require_digest", "yes", "write one of no, tracked, all"),
    ("platforms", "linux", "write OS/ARCHITECTURE, separated by commas"),
    ("platforms", "linux/amd64,", "write OS/ARCHITECTURE, separated by commas"),
    ("platforms", "Linux/AMD64", "write OS/ARCHITECTURE, separated by commas"),
    ("platforms", "", "write OS/ARCHITECTURE, separated by commas"),
]
LAST_GOOD = Policy(
    severity_threshold=Severity.LOW,
    patch_sla=timedelta(hours=7),
    stale_after=timedelta(hours=48),
    rollout_grace=timedelta(hours=3),
    stale=StaleEffect.DENY_ALWAYS,
    unscanned=Effect.DENY,
    unlisted=Effect.WARN,
    unpatchable=Effect.DENY,
    require_digest=DigestRequirement.ALL,
    platforms=("linux/s390x",),
    naming=Naming(
        mirrors=Mirrors.of([Mirror("mirror.example.com", "docker.io")]),
        push_to=(("docker.io", "registry.example.com/hub"),),
    ),
)
FIELDS = {"patch_sla_hours": "patch_sla", "stale_after_hours": "stale_after", "rollout_grace_hours": "rollout_grace"}


def test_a_policy_without_a_key_is_the_contracts_default() -> None:
    policy, problems = read_policy(image_list(), LAST_GOOD)
    assert policy == Policy(
        severity_threshold=Severity.CRITICAL,
        patch_sla=timedelta(hours=24),
        stale_after=timedelta(hours=24),
        rollout_grace=timedelta(hours=24),
        stale=StaleEffect.DENY,
        unscanned=Effect.WARN,
        unlisted=Effect.DENY,
        unpatchable=Effect.WARN,
        require_digest=DigestRequirement.NO,
        platforms=("linux/amd64",),
        naming=Naming(),
    )
    assert problems == []


@pytest.mark.parametrize(("key", "text", "field", "value"), GOOD)
def test_a_good_value_counts(key: str, text: str, field: str, value: object) -> None:
    policy, problems = read_policy(image_list(**{key: text}), LAST_GOOD)
    assert getattr(policy, field) == value
    assert problems == []


@pytest.mark.parametrize(("key", "text", "advice"), WRONG)
def test_a_wrong_value_keeps_the_last_good_one_and_is_reported_with_what_to_write(
    key: str, text: str, advice: str
) -> None:
    policy, (problem,) = read_policy(image_list(**{key: text}), LAST_GOOD)
    assert getattr(policy, FIELDS.get(key, key)) == getattr(LAST_GOOD, FIELDS.get(key, key))
    assert (problem.configmap, problem.place) == ("copa-image-list", key)
    assert problem.reason.endswith(f" is wrong ({advice}); the last good value stays in force")
    assert len(problem.reason) < 300


@pytest.mark.parametrize(("key", "text", "advice"), WRONG)
def test_a_wrong_value_at_the_start_is_the_default(key: str, text: str, advice: str) -> None:
    policy, (problem,) = read_policy(image_list(**{key: text}), Policy())
    assert policy == Policy()
    assert advice in problem.reason


def test_a_wrong_value_costs_no_other_key() -> None:
    policy, problems = read_policy(image_list(unlisted="never", patch_sla_hours="48", stale="warn"), Policy())
    assert (policy.patch_sla, policy.stale) == (timedelta(hours=48), StaleEffect.WARN)
    assert [problem.place for problem in problems] == ["unlisted"]


@pytest.mark.parametrize(("sla", "stale_after"), [("1", 24), ("24", 24), ("72", 72)])
def test_an_approval_is_stale_after_the_larger_of_the_sla_and_a_day_where_no_key_says(
    sla: str, stale_after: int
) -> None:
    policy, _ = read_policy(image_list(patch_sla_hours=sla), Policy())
    assert policy.stale_after == timedelta(hours=stale_after)


def test_a_wrong_sla_keeps_the_time_to_stale_that_follows_from_the_last_good_one() -> None:
    policy, _ = read_policy(image_list(patch_sla_hours="soon"), Policy(patch_sla=timedelta(hours=72)))
    assert policy.stale_after == timedelta(hours=72)


def test_a_wrong_time_to_stale_at_the_start_is_the_default_that_follows_from_the_sla() -> None:
    # design.md, section 2: "keeps the last good one (at first its default)", and the default is the larger of the two
    policy, _ = read_policy(image_list(patch_sla_hours="72", stale_after_hours="soon"), None)
    assert policy.stale_after == timedelta(hours=72)


@pytest.mark.parametrize(
    ("text", "mirrors"),
    [
        ("", {}),
        ("# none yet\n\n", {}),
        ("mirror.gcr.io = docker.io # Google's", {"mirror.gcr.io": "docker.io"}),
        ("Mirror.GCR.io:443=registry-1.docker.io", {"mirror.gcr.io": "docker.io"}),
        ("localhost:5000 = ghcr.io", {"localhost:5000": "ghcr.io"}),
        ("a.io = b.io\nb.io = c.io\nc.io = d.io", {"a.io": "d.io", "b.io": "d.io", "c.io": "d.io"}),
        ("harbor.example.com/hub = docker.io", {"harbor.example.com/hub": "docker.io"}),
        ("harbor.example.com/a/b = ghcr.io/team/", {"harbor.example.com/a/b": "ghcr.io/team"}),
    ],
)
def test_a_mirror_leads_to_the_registrys_own_name(text: str, mirrors: dict[str, str]) -> None:
    policy, problems = read_policy(image_list(mirrors=text), Policy())
    assert {each.source for each in policy.naming.mirrors} == mirrors.keys()
    for source, target in mirrors.items():
        assert policy.naming.canonical(f"{source}/team/app") == f"{target}/team/app"
    assert problems == []


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("mirror.gcr.io", "write HOST[/PREFIX] = HOST[/PREFIX]"),
        ("= docker.io", "write HOST[/PREFIX] = HOST[/PREFIX]"),
        ("mirror = docker.io", "mirror is not a registry: write its host name, such as docker.io"),
        ("a.io:443 = a.io", "both sides name a.io: delete the line, it changes nothing"),
        (
            "docker.io/Library = x.io/y",
            "docker.io/Library is not a registry with the beginning of a path: ",
        ),
        ("x.io = y.io # \u2028", "delete U+2028 from it, a character that editors do not show"),
    ],
)
@pytest.mark.parametrize("key", ["mirrors", "push_to"])
def test_a_wrong_line_affects_only_itself_and_is_reported_with_its_number(key: str, line: str, advice: str) -> None:
    policy, (problem,) = read_policy(image_list(**{key: f"# ours\n{line}\nquay.io = registry.example.com/q\n"}), None)
    assert (problem.configmap, problem.place) == ("copa-image-list", f"{key} line 2")
    assert problem.reason.startswith(advice)
    naming = policy.naming
    found = naming.canonical("quay.io/a/b") if key == "mirrors" else naming.find_target("quay.io/a/b")
    assert found == "registry.example.com/q/a/b"


def test_while_a_line_is_wrong_what_was_good_before_stays() -> None:
    before, _ = read_policy(image_list(mirrors="a.io = docker.io", push_to="b.io = x.io"), None)
    policy, problems = read_policy(image_list(mirrors="a.io : docker.io\nc.io = ghcr.io", push_to="b.io"), before)
    assert len(problems) == 2
    names = [policy.naming.canonical(f"{host}/team/app") for host in ("a.io", "c.io")]
    assert names == ["docker.io/team/app", "ghcr.io/team/app"]
    assert policy.naming.find_target("b.io/team/app") == "x.io/team/app"
    later, _ = read_policy(image_list(mirrors="c.io = ghcr.io"), policy)
    assert later.naming.canonical("a.io/team/app") == "a.io/team/app"


def test_a_new_good_line_wins_over_the_last_good_one_of_its_name() -> None:
    before, _ = read_policy(image_list(mirrors="a.io = docker.io"), None)
    policy, _ = read_policy(image_list(mirrors="wrong\na.io = ghcr.io"), before)
    assert policy.naming.canonical("a.io/team/app") == "ghcr.io/team/app"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("docker.io/library = registry.example.com/patched", (("docker.io/library", "registry.example.com/patched"),)),
        ("ghcr.io = registry.example.com/ghcr", (("ghcr.io", "registry.example.com/ghcr"),)),
        ("index.docker.io/library/ = Registry.example.com:443/p/", (("docker.io/library", "registry.example.com/p"),)),
        ("a.io = x.io\na.io/b/c = z.io\na.io/b = y.io", (("a.io/b/c", "z.io"), ("a.io/b", "y.io"), ("a.io", "x.io"))),
        ("b.io = y.io\na.io = x.io", (("a.io", "x.io"), ("b.io", "y.io"))),
    ],
)
def test_push_targets_come_with_the_longest_source_first(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    policy, problems = read_policy(image_list(push_to=text), Policy())
    assert policy.naming.push_to == pairs
    assert problems == []


def test_a_push_target_is_named_under_the_mirrored_registrys_own_name() -> None:
    policy, _ = read_policy(
        image_list(mirrors="mirror.gcr.io = docker.io", push_to="mirror.gcr.io/library = registry.example.com/patched"),
        Policy(),
    )
    assert policy.naming.find_target("docker.io/library/nginx") == "registry.example.com/patched/nginx"
