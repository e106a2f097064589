"""The decision: what the table says of each image, and what that makes of the request as a whole.

The same for every door. Scope and mode soften a denial here, after the table, so that the table never knows of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from patchgate.limits import ANNOTATION_BYTES, DENIED_IMAGES_SHOWN, MESSAGE_BYTES, WARNINGS, WARNINGS_BYTES
from patchgate.policy.case import Asker, Case, open_case
from patchgate.policy.policy import Effect
from patchgate.policy.rows import ROWS, no_image_yet, say_unqualified
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason, Verdict, fit_bytes
from patchgate.policy.workload import Image


class Mode(StrEnum):
    """What a denial does: refuse, warn, or only be seen. Picked by the path that is asked."""

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"


class Scope(StrEnum):
    """For whom a denial counts: for all; not for what built-in controllers make; for Pods and not for templates."""

    ALL = "all"
    ROLLOUTS = "rollouts"
    PODS = "pods"


class Decision(Struct, frozen=True, gc=False):
    """What is decided about a request.

    Attributes:
        allowed: whether it may go on.
        reason: the first denied image's code, else the first image's; `NoImages` where there is none.
        message: for people, never empty.
        verdicts: one an image, in order.
        denied: those of them that the table denies, whatever the caller was told.
        refused_next: of images that a template keeps, the verdicts that will refuse its next Pods.
        warnings: as kube-apiserver takes them.
        audit: audit annotations, key → value.
    """

    allowed: bool
    reason: Reason
    message: str
    verdicts: tuple[Verdict, ...]
    denied: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    audit: dict[str, str]
    refused_next: tuple[Verdict, ...] = ()


def decide(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Verdict:
    """Decide one image by the first row of the decision table that answers (docs/decision.md).

    now: aware UTC. Never raises: what cannot be decided is a verdict with its own reason.
    """
    case = open_case(image, snapshot, asker, now)
    return no_image_yet(case) or decide_case(case)[0]


def decide_case(case: Case) -> tuple[Verdict, int]:
    """Decide one image that was looked up; give the number of the row that answered as well."""
    verdict, number = next((found, number) for number, row in enumerate(ROWS, 1) if (found := row(case)))
    return _warn_of_unqualified(case, verdict), number


def _warn_of_unqualified(case: Case, verdict: Verdict) -> Verdict:
    """Warn of an image that may run and whose name has no registry, where the policy wants that."""
    if case.policy.unqualified is not Effect.WARN or not verdict.allowed or not case.is_unqualified:
        return verdict
    return replace(verdict, warns=True, text=f"{say_unqualified(case)}; {verdict.text}")


def conclude(
    verdicts: Sequence[Verdict],
    mode: Mode = Mode.ENFORCE,
    refused_next: Sequence[Verdict] = (),
    *,
    is_softened: bool = False,
) -> Decision:
    """Conclude from the verdicts what happens to the request.

    refused_next: denials of images that a template keeps; they never refuse the request itself.
    is_softened: whether the scope turns a denial into a warning (`softens`).
    """
    denied = [verdict for verdict in verdicts if not verdict.allowed]
    refuses = mode is Mode.ENFORCE and not is_softened
    decisive = denied or verdicts
    return Decision(
        allowed=not (denied and refuses),
        reason=decisive[0].reason if decisive else Reason.NO_IMAGES,
        message=_say_message(denied, verdicts, refused_next),
        verdicts=tuple(verdicts),
        denied=tuple(denied),
        warnings=_list_warnings(verdicts, refused_next, mode, with_denied=not refuses),
        audit=_annotate(verdicts, denied, refused_next, mode),
        refused_next=tuple(refused_next),
    )


def list_shown(denied: Sequence[Verdict]) -> list[str]:
    """List the denied images that are shown, each with its code."""
    return [verdict.image + " " + verdict.reason for verdict in denied[:DENIED_IMAGES_SHOWN]]


def softens(scope: Scope, asker: Asker, *, is_template: bool) -> bool:
    """Tell whether the scope turns this request's denials into warnings."""
    match scope:
        case Scope.ALL:
            return False
        case Scope.ROLLOUTS:
            return asker.is_controller
        case Scope.PODS:
            return is_template


def _say_message(denied: Sequence[Verdict], verdicts: Sequence[Verdict], refused_next: Sequence[Verdict]) -> str:
    if denied:
        return _say_refused(denied)
    if refused_next:
        added = "no image is added" if not verdicts else "what is added may run"
        return f"{added}, but the next Pods of this template will be refused: {_say_refused(refused_next)}"
    if not verdicts:
        return "no image to judge"
    return "the image may run" if len(verdicts) == 1 else f"all {len(verdicts)} images may run"


def _say_refused(denied: Sequence[Verdict]) -> str:
    shown = [verdict.message for verdict in denied[:DENIED_IMAGES_SHOWN]]
    more = len(denied) - len(shown)
    message = fit_bytes("; ".join(shown), MESSAGE_BYTES)
    return f"{message}; and {more} more" if more else message


def _list_warnings(
    verdicts: Iterable[Verdict], refused_next: Sequence[Verdict], mode: Mode, *, with_denied: bool
) -> tuple[str, ...]:
    if mode is Mode.AUDIT:
        return ()
    wanted = [verdict for verdict in verdicts if verdict.warns or (with_denied and not verdict.allowed)]
    if not (wanted or refused_next):
        return ()
    lines = [line for verdict in wanted for line in verdict.warnings]
    if refused_next:
        fate = "refused" if mode is Mode.ENFORCE else "warned about"
        lines.append(f"the next Pods of this template will be {fate}: it keeps images that may not run")
        lines += [line for verdict in refused_next for line in verdict.warnings]
    return _fit_warnings(list(dict.fromkeys(lines)))


def _fit_warnings(lines: Sequence[str]) -> tuple[str, ...]:
    """Fit the lines into what kube-apiserver passes on; say how many are left out."""
    sizes = accumulate(len(line.encode()) for line in lines)
    fitting = [line for line, size in zip(lines[:WARNINGS], sizes, strict=False) if size <= WARNINGS_BYTES]
    if len(fitting) == len(lines):
        return tuple(lines)
    shown = fitting[: WARNINGS - 1]
    return (*shown, f"and {len(lines) - len(shown)} more warnings of patchgate")


def _annotate(
    verdicts: Iterable[Verdict], denied: Sequence[Verdict], refused_next: Sequence[Verdict], mode: Mode
) -> dict[str, str]:
    """Say what the audit log must keep: what the table denies in any mode, and who made use of an exception."""
    annotations = {}
    if denied:
        images = fit_bytes(", ".join(list_shown(denied)), ANNOTATION_BYTES)
        annotations = {"mode": mode, "decision": "deny", "reason": denied[0].reason, "images": images}
    if excepted := [verdict.audit for verdict in verdicts if verdict.audit]:
        annotations["excepted"] = fit_bytes("; ".join(excepted[:DENIED_IMAGES_SHOWN]), ANNOTATION_BYTES)
    if refused_next:
        annotations["keeps"] = fit_bytes(", ".join(list_shown(refused_next)), ANNOTATION_BYTES)
    return annotations
