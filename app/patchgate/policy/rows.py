"""The decision table (docs/decision.md): one function a row, in its order; the first that answers decides.

A row that has nothing to say returns None. Which of deny, warn and allow a row gives where the policy decides is
`_by_effect`'s part; the last row always answers.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from patchgate.limits import SHOWN_REFERENCE_CHARACTERS
from patchgate.policy.case import Case
from patchgate.policy.policy import DigestRequirement, Effect, StaleEffect
from patchgate.policy.record import Approval, State
from patchgate.policy.verdict import Reason, Verdict, say_duration, say_time, show

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_OLD_COPY: Final = "a node may hold an older copy of this tag: name the digest, or set imagePullPolicy: Always"
UNQUALIFIED: Final = "names no registry, so each node chooses one"


def no_image_yet(case: Case) -> Verdict | None:
    """Before the table: a Pod template has a placeholder; unless a tracked repository has that name."""
    if not case.image.is_placeholder or case.repository:
        return None
    return _warn(case, Reason.NO_IMAGE_YET, "no image yet: this template's Pods get one, and are judged")


def invalid_reference(case: Case) -> Verdict | None:
    """Row 1: does not parse."""
    return _deny(case, Reason.INVALID_REFERENCE, f"not an image reference: {case.fault}") if case.fault else None


def excepted(case: Case) -> Verdict | None:
    """Row 2: covered by an unexpired exception."""
    exception = case.find_exception()
    if exception is None:
        return None
    until, why = say_time(exception.expires), f"{show(exception.reason)} ({show(exception.owner)})"
    text = f"excepted until {until}: {why}"
    audit = f"{_name(case)} {text}"
    return Verdict(_name(case), allowed=True, reason=Reason.EXCEPTED, text=text, warns=True, audit=audit)


def unqualified(case: Case) -> Verdict | None:
    """Row 3: no registry in its name, where the policy refuses that."""
    if case.policy.unqualified is not Effect.DENY or not case.is_unqualified:
        return None
    use = case.find_use()
    return _deny(case, Reason.UNQUALIFIED, UNQUALIFIED if use else say_unqualified(case), use)


def not_tracked(case: Case) -> Verdict | None:
    """Row 4: its repository is not tracked."""
    if case.repository:
        return None
    if case.policy.require_digest is DigestRequirement.ALL and case.reference and not case.reference.digest:
        return _deny(case, Reason.DIGEST_REQUIRED, "every image must carry a digest: name it REPO:TAG@sha256:…")
    return _allow(case, Reason.NOT_TRACKED, "its repository is not tracked", until=FOREVER)


def approved_digest(case: Case) -> Verdict | None:
    """Row 5: digest of a fresh approval."""
    if case.has_digest and case.has_fresh_approval:
        return _allow(case, Reason.APPROVED, "an approved digest", until=case.fresh_until)
    return None


def digest_required(case: Case) -> Verdict | None:
    """Row 6: no digest, and one is required."""
    if case.has_digest or not case.must_carry_digest:
        return None
    use = case.find_use()
    text = "must be named by digest" if use else "must be named by digest, and none of it is approved now"
    return _deny(case, Reason.DIGEST_REQUIRED, text, use)


def stale(case: Case) -> Verdict | None:
    """Row 7: tag or digest of an approval that is not fresh."""
    if case.approval is None or case.has_fresh_approval:
        return None
    text = f"its approval is stale, last verified {say_time(case.approval.verified)}"
    effect, fault = Effect.DENY, "; the patcher must verify it again, see its record's message"
    if case.policy.stale is StaleEffect.WARN:
        effect, fault = Effect.WARN, ""
    elif case.policy.stale is StaleEffect.DENY and not case.patcher_has_run:
        effect, fault = Effect.WARN, "; the patcher itself has not run since"
    return _by_effect(effect, case, Reason.STALE, text + fault, case.find_use())


def approved_tag(case: Case) -> Verdict | None:
    """Row 8: tag of a fresh approval; not where a node may hold the old copy of a listed tag."""
    if not case.has_fresh_approval:
        return None
    if not case.may_be_an_old_copy or case.image.pull_policy == "Always":
        return _allow(case, Reason.APPROVED, "an approved tag", until=case.fresh_until)
    effect = Effect.DENY if case.image.pull_policy else Effect.WARN
    return _by_effect(effect, case, Reason.CACHED_COPY, _OLD_COPY, case.find_use())


def patch_available(case: Case) -> Verdict | None:
    """Row 9: listed tag or source, no approval itself, but its record has one."""
    clock = case.clock
    if case.record is None or clock is None:
        return None
    patched, grace = clock.patched, case.policy.rollout_grace
    has_approval = case.snapshot.has_approval(case.record)
    if not has_approval and not case.had_patch:
        return None
    if has_approval and case.asker.is_controller and patched and case.now - patched <= grace:
        text = f"patched since; a controller may re-create it until {say_time(patched + grace)}"
        return _warn(case, Reason.PATCH_AVAILABLE, text, case.find_use())
    use = case.find_use()
    if use is None:
        fault = "that approval is stale: it must be verified again"
        text = f"was patched, but {fault if has_approval else 'the patched image was found vulnerable since'}"
        return _deny(case, Reason.PATCH_AVAILABLE, text, until=FOREVER)
    # The freshest approval: as long as it is fresh it is the one to use.
    until = use.verified + case.policy.stale_after
    return _deny(case, Reason.PATCH_AVAILABLE, "a patched image is available", use, until=until)


def unpatchable(case: Case) -> Verdict | None:
    """Row 10: listed tag or source, and it cannot be patched; not a source before it that was found vulnerable."""
    if case.record is None or case.record.state is not State.UNPATCHABLE or case.is_earlier_source:
        return None
    if not case.has_digest and case.may_be_an_old_copy and case.image.pull_policy not in ("Always", None):
        return _deny(case, Reason.CACHED_COPY, _OLD_COPY)
    text = f"cannot be patched: {_say_message(case)}; rebuild it on a newer base or ask for an exception"
    return _by_effect(case.policy.unpatchable, case, Reason.UNPATCHABLE, text)


def within_sla(case: Case) -> Verdict | None:
    """Row 11: listed tag or source, no approval, the SLA still runs."""
    if case.clock is None:
        return None
    since = min(case.clock.since, case.now)  # the patcher's clock may be a little ahead
    left = since + case.policy.patch_sla - case.now
    if left.total_seconds() <= 0:
        return None
    return _warn(case, Reason.WITHIN_SLA, f"not approved yet; it will be refused in {say_duration(left)}")


def sla_breached(case: Case) -> Verdict | None:
    """Row 12: the same, longer ago."""
    if case.clock is None:
        return None
    since, sla = say_time(case.clock.since), say_duration(case.policy.patch_sla)
    text = f"not approved within {sla} of {since}: {_say_message(case)}; fix that or request an exception"
    return _deny(case, Reason.SLA_BREACHED, text)


def unscanned(case: Case) -> Verdict | None:
    """Row 13: listed without a record; or a digest where some line has no record yet.

    A line of which a run could make nothing lists nothing.
    """
    if (case.line is None or case.line_fault) and not case.is_digest_to_come:
        return None
    return _by_effect(case.policy.unscanned, case, Reason.UNSCANNED, "the patcher has not looked at it yet")


def unlisted(case: Case) -> Verdict | None:
    """Row 14: anything else of a tracked repository."""
    if case.repository and (bad := case.repository.bad_line):
        text = f"only {bad.place} names its repository, and that line has no effect: {bad.reason}"
        return _warn(case, Reason.UNLISTED, text)
    effect = case.policy.unlisted
    if effect is Effect.DENY and case.repository and case.repository.is_listed_by_strangers:
        effect = Effect.WARN
    text = "not listed, though its repository is tracked: list it or use an approved image"
    if case.line and case.line_fault:
        where = f"{show(case.line.configmap)}, line {case.line.number}"
        text = f"the line that lists it ({where}) lists nothing: {show(case.line_fault.message)}"
    return _by_effect(effect, case, Reason.UNLISTED, text)


ROWS: Final[tuple[Callable[[Case], Verdict | None], ...]] = (
    invalid_reference,  # 1
    excepted,  # 2
    unqualified,  # 3
    not_tracked,  # 4
    approved_digest,  # 5
    digest_required,  # 6
    stale,  # 7
    approved_tag,  # 8
    patch_available,  # 9
    unpatchable,  # 10
    within_sla,  # 11
    sla_breached,  # 12
    unscanned,  # 13
    unlisted,  # 14
)


def say_unqualified(case: Case) -> str:
    """Say what to write instead of a name without a registry."""
    return f"{UNQUALIFIED}: write its registry, {show(str(case.reference))} if you mean Docker Hub"


def _allow(case: Case, reason: Reason, text: str, until: datetime | None = None) -> Verdict:
    return Verdict(_name(case), allowed=True, reason=reason, text=text, until=until)


def _warn(case: Case, reason: Reason, text: str, use: Approval | None = None) -> Verdict:
    return Verdict(_name(case), allowed=True, reason=reason, text=text, approval=use, warns=True)


def _deny(case: Case, reason: Reason, text: str, use: Approval | None = None, until: datetime | None = None) -> Verdict:
    return Verdict(_name(case), allowed=False, reason=reason, text=text, approval=use, until=until)


def _by_effect(effect: Effect, case: Case, reason: Reason, text: str, use: Approval | None = None) -> Verdict:
    match effect:
        case Effect.DENY:
            return _deny(case, reason, text, use)
        case Effect.WARN:
            return _warn(case, reason, text, use)
        case Effect.ALLOW:
            return _allow(case, reason, text)


def _name(case: Case) -> str:
    text = case.image.text
    if len(text) <= SHOWN_REFERENCE_CHARACTERS or not case.has_digest:
        return show(text)
    name, at, digest = text.rpartition("@")
    return show(name, SHOWN_REFERENCE_CHARACTERS - len(at + digest)) + at + digest  # policies look for it


def _say_message(case: Case) -> str:
    return show(case.record.explanation) if case.record and case.record.explanation else "the patcher gave no reason"
