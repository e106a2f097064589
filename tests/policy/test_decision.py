"""What the verdicts make of a request: mode, scope, message, warnings, audit annotations."""

import pytest

from patchgate.limits import DENIED_IMAGES_SHOWN, WARNINGS
from patchgate.policy.case import BUILT_IN_CONTROLLERS, Asker
from patchgate.policy.decision import Decision, Mode, Scope, conclude, decide, softens
from patchgate.policy.workload import Image, Operation
from tests.world import NOW, digest, exceptions, hours_ago, image_list, patched, record, records, snapshot

API = "registry.example.com/myapp/api"
WORLD = snapshot(
    image_list(f"{API}:1", f"{API}:2", f"{API}:3"),
    records(
        {
            f"{API}:1": patched(f"{API}:1-patched-20260509"),
            f"{API}:2": record(),
            f"{API}:3": record(first_vulnerable=hours_ago(30)),
        }
    ),
    exceptions("- {image: 'quay.io/**', reason: r, owner: o, expires: 2026-06-01T00:00:00Z}"),
)
USE = f"{API}:1-patched-20260509@{digest('patched')}"


def concluded(*images: str, mode: Mode = Mode.ENFORCE, is_softened: bool = False) -> Decision:
    verdicts = [decide(Image(image, "Always"), WORLD, Asker("shop"), NOW) for image in images]
    return conclude(verdicts, mode, is_softened=is_softened)


def test_all_allowed() -> None:
    decision = concluded("nginx", USE)
    assert (decision.allowed, decision.reason, decision.message) == (True, "NotTracked", "all 2 images may run")
    assert (decision.warnings, decision.audit) == ((), {})


@pytest.mark.parametrize("mode", Mode)
def test_the_decision_keeps_what_the_table_denies_whatever_the_caller_is_told(mode: Mode) -> None:
    decision = concluded("nginx", f"{API}:3", mode=mode)
    assert [str(each.image) for each in decision.denied] == [f"{API}:3"]
    assert concluded("nginx", USE, mode=mode).denied == ()


def test_one_allowed() -> None:
    assert concluded("nginx").message == "the image may run"


def test_no_image_at_all() -> None:
    decision = concluded()
    assert (decision.allowed, decision.reason, decision.message) == (True, "NoImages", "no image to judge")


def test_the_first_denied_image_gives_the_reason_and_each_is_in_the_message() -> None:
    decision = concluded("nginx", f"{API}:3", f"{API}:1")
    assert (decision.allowed, decision.reason) == (False, "SlaBreached")
    assert decision.message == (
        f"{API}:3: not approved within 24 h of 2026-05-08T06:00:00Z: the package mirror does not carry the fix yet; "
        f"fix that or request an exception; {API}:1: a patched image is available; use {USE}"
    )


def test_a_message_explains_a_few_images_and_counts_the_rest() -> None:
    decision = concluded(*(f"{API}:no-{number}" for number in range(DENIED_IMAGES_SHOWN + 3)))
    assert decision.message.endswith("; and 3 more")
    assert decision.message.count("not listed") == DENIED_IMAGES_SHOWN
    assert decision.audit["images"].count("Unlisted") == DENIED_IMAGES_SHOWN


def test_enforce_warns_of_what_it_lets_pass_and_not_of_what_it_refuses() -> None:
    decision = concluded(f"{API}:1", f"{API}:2")
    assert not decision.allowed
    assert decision.warnings == (f"{API}:2: not approved yet; it will be refused in 23 h",)


def test_warn_lets_everything_pass_and_says_so() -> None:
    decision = concluded(f"{API}:1", f"{API}:2", mode=Mode.WARN)
    assert (decision.allowed, decision.reason) == (True, "PatchAvailable")
    assert decision.warnings == (
        f"{API}:1: a patched image is available",
        f"use {API}@{digest('patched')}",
        f"{API}:2: not approved yet; it will be refused in 23 h",
    )


def test_audit_lets_everything_pass_and_tells_the_audit_log_alone() -> None:
    decision = concluded(f"{API}:1", f"{API}:2", mode=Mode.AUDIT)
    assert (decision.allowed, decision.warnings) == (True, ())
    assert decision.audit == {
        "mode": "audit",
        "decision": "deny",
        "reason": "PatchAvailable",
        "images": f"{API}:1 PatchAvailable",
    }


@pytest.mark.parametrize("mode", list(Mode))
def test_the_audit_log_keeps_who_made_use_of_an_exception_in_every_mode(mode: Mode) -> None:
    decision = concluded("quay.io/team/tool:1", mode=mode)
    assert decision.allowed
    assert decision.audit == {"excepted": "quay.io/team/tool:1 excepted until 2026-06-01T00:00:00Z: r (o)"}


def test_a_softened_denial_is_a_warning_under_enforce() -> None:
    decision = concluded(f"{API}:3", is_softened=True)
    assert decision.allowed
    assert decision.warnings == (
        f"{API}:3: not approved within 24 h of 2026-05-08T06:00:00Z: the package mirror does not carry t…",
    )


def test_warnings_are_few_and_none_is_said_twice() -> None:
    many = concluded(*(f"{API}:no-{number}" for number in range(WARNINGS + 5)), mode=Mode.WARN)
    assert len(many.warnings) == WARNINGS
    assert many.warnings[-1] == "and 6 more warnings of patchgate"
    assert len(concluded(f"{API}:2", f"{API}:2").warnings) == 1


@pytest.mark.parametrize(
    ("scope", "is_controller", "is_template", "expected"),
    [
        (Scope.ALL, True, True, False),
        (Scope.ROLLOUTS, True, False, True),
        (Scope.ROLLOUTS, False, True, False),
        (Scope.PODS, True, False, False),
        (Scope.PODS, False, True, True),
    ],
)
def test_the_scope_softens_what_it_leaves_to_others(
    scope: Scope, is_controller: bool, is_template: bool, expected: bool
) -> None:
    assert softens(scope, Asker("shop", is_controller), is_template=is_template) is expected


@pytest.mark.parametrize("username", sorted(BUILT_IN_CONTROLLERS))
def test_a_built_in_controller_is_known_by_the_user_that_was_authenticated(username: str) -> None:
    assert Asker.of(username, Operation.CREATE, "shop") == Asker("shop", is_controller=True)
    assert Asker.of(username, Operation.UPDATE, "shop") == Asker("shop", is_controller=False)


@pytest.mark.parametrize(
    "username",
    [None, "", "alice", "system:serviceaccount:shop:replicaset-controller", "system:serviceaccount:kube-system:x"],
)
def test_nobody_else_is_one(username: str | None) -> None:
    assert not Asker.of(username, Operation.CREATE, "shop").is_controller


def test_a_setting_adds_controllers() -> None:
    assert Asker.of("argo", Operation.CREATE, "", frozenset({"argo"})) == Asker(None, is_controller=True)


def refused_next(mode: Mode = Mode.ENFORCE, *added: str) -> Decision:
    kept = [decide(Image(f"{API}:{tag}"), WORLD, Asker("shop", is_controller=True), NOW) for tag in (1, 3)]
    verdicts = [decide(Image(image), WORLD, Asker("shop"), NOW) for image in added]
    return conclude(verdicts, mode, [verdict for verdict in kept if not verdict.allowed])


def test_what_a_template_keeps_never_refuses_it_and_is_warned_about() -> None:
    decision = refused_next()
    assert (decision.allowed, decision.reason, decision.denied) == (True, "NoImages", ())
    assert decision.warnings[0] == "the next Pods of this template will be refused: it keeps images that may not run"
    assert decision.warnings[1].startswith(f"{API}:3: not approved within 24 h of 2026-05-08T06:00:00Z")
    beginning = f"no image is added, but the next Pods of this template will be refused: {API}:3: not approved"
    assert decision.message.startswith(beginning)
    assert decision.audit == {"keeps": f"{API}:3 SlaBreached"}


def test_what_a_template_keeps_is_told_beside_what_is_added() -> None:
    decision = refused_next(Mode.ENFORCE, "nginx")
    assert decision.message.startswith("what is added may run, but the next Pods of this template will be refused: ")
    refused = refused_next(Mode.ENFORCE, f"{API}:3")
    assert (refused.allowed, refused.reason) == (False, "SlaBreached")
    assert refused.message.startswith(f"{API}:3: not approved within")


def test_under_warn_the_next_pods_are_warned_about_and_under_audit_the_log_alone_knows() -> None:
    assert refused_next(Mode.WARN).warnings[0].startswith("the next Pods of this template will be warned about: ")
    audited = refused_next(Mode.AUDIT)
    assert (audited.warnings, audited.audit) == ((), {"keeps": f"{API}:3 SlaBreached"})


@pytest.mark.parametrize("text", [" ", "auto"])
def test_a_placeholder_is_warned_about_whatever_the_policy_requires(text: str) -> None:
    world = snapshot(image_list(require_digest="all", unqualified="deny"))
    found = decide(Image(text, "Always", is_placeholder=True), world, Asker("shop"), NOW)
    assert (found.allowed, found.warns, found.reason) == (True, True, "NoImageYet")
    said = "no image yet: this template's Pods get one, and are judged"
    assert found.warnings == (f"{text.strip() or 'empty image'}: {said}",)


def test_a_placeholder_that_is_the_name_of_a_tracked_image_is_that_image() -> None:
    world = snapshot(image_list("docker.io/library/auto:1"))
    found = decide(Image("auto", "Always", is_placeholder=True), world, Asker("shop"), NOW)
    assert (found.allowed, found.reason) == (False, "Unlisted")
