"""The judge: the one core behind every door. Asks the policy with what this process has."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from patchgate.limits import IMAGES_OF_A_REQUEST
from patchgate.policy.case import BUILT_IN_CONTROLLERS, Asker
from patchgate.policy.change import find_change
from patchgate.policy.decision import Decision, Mode, Scope, conclude, decide, softens
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason, Verdict, show
from patchgate.policy.workload import Image, Object, Operation, is_mirror_pod


class OnError(StrEnum):
    """What a review gets when deciding fails."""

    DENY = "deny"
    ALLOW = "allow"


class Question(Struct, frozen=True, gc=False):
    """What every door asks: may this be done to this object?

    Attributes:
        operation: what is done.
        obj: the object; None on DELETE.
        old: what it was; None on CREATE.
        subresource: such as `ephemeralcontainers`, or None.
        namespace: where; None where nobody said.
        username: who asks, as kube-apiserver authenticated them; None where nobody said.
    """

    operation: Operation
    obj: Object | None
    old: Object | None = None
    subresource: str | None = None
    namespace: str | None = None
    username: str | None = None

    @property
    def name(self) -> str | None:
        """`Kind/NAME` of the object, for people."""
        obj = self.obj or self.old
        if obj is None:
            return None
        metadata = obj.metadata
        return show(f"{obj.kind}/{(metadata.name or metadata.generateName or '') if metadata else ''}")


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges against the snapshot of the moment.

    Attributes:
        current: gives the snapshot in force; None before the first.
        clock: gives now, aware UTC.
        scope: for whom a denial counts.
        controllers: users that count as built-in controllers.
        on_error: what a review gets when deciding fails.
        decide: decides one image; the policy's own, or one that remembers.
    """

    current: Callable[[], Snapshot | None]
    clock: Callable[[], datetime]
    scope: Scope = Scope.ALL
    controllers: frozenset[str] = BUILT_IN_CONTROLLERS
    on_error: OnError = OnError.DENY
    decide: Callable[[Image, Snapshot, Asker, datetime], Verdict] = decide

    def take_snapshot(self) -> Snapshot | None:
        """Take the snapshot in force; None while it is not known what is tracked."""
        snapshot = self.current()
        return snapshot if snapshot and snapshot.is_complete else None

    def judge(self, question: Question, mode: Mode, snapshot: Snapshot) -> Decision:
        """Judge what the change adds; of what a template keeps, say what becomes of its next Pods."""
        asker = Asker.of(question.username, question.operation, question.namespace, self.controllers)
        change = find_change(question.operation, question.obj, question.old, question.subresource, snapshot)
        is_template = question.obj is not None and question.obj.is_template
        is_softened = softens(self.scope, asker, is_template=is_template) or is_mirror_pod(
            question.obj, question.username
        )
        if len(change.added) > IMAGES_OF_A_REQUEST:
            return conclude([_refuse(f"names more than {IMAGES_OF_A_REQUEST} images")], mode, is_softened=is_softened)
        refused = self._list_refused_next(question, change.kept, snapshot)
        return conclude(self._decide_all(change.added, snapshot, asker), mode, refused, is_softened=is_softened)

    def _list_refused_next(self, question: Question, kept: Sequence[Image], snapshot: Snapshot) -> list[Verdict]:
        """List what refuses the next Pods of a template, which a controller makes; nothing for controllers to read."""
        if not kept or self.scope is Scope.ROLLOUTS or question.username in self.controllers:
            return []
        pods = Asker(question.namespace or None, is_controller=True)
        return [verdict for verdict in self._decide_all(kept, snapshot, pods) if not verdict.allowed]

    def judge_images(
        self, images: Iterable[str], namespace: str | None, snapshot: Snapshot, pull_policy: str | None = None
    ) -> Decision:
        """Judge images of which no workload is known. pull_policy: of all of them; None if it is not known either."""
        asked = (Image(image, pull_policy) for image in images)
        return conclude(self._decide_all(asked, snapshot, Asker(namespace)))

    def judge_image(self, image: Image, asker: Asker, snapshot: Snapshot) -> Decision:
        """Judge one image by itself, as if a Pod were made of it."""
        is_softened = softens(self.scope, asker, is_template=False)
        return conclude(self._decide_all([image], snapshot, asker), is_softened=is_softened)

    def _decide_all(self, images: Iterable[Image], snapshot: Snapshot, asker: Asker) -> list[Verdict]:
        now = self.clock()
        return [self.decide(image, snapshot, asker, now) for image in images]

    def conclude_failed(self, mode: Mode) -> Decision:
        """Decide where deciding failed: a defect of ours must neither open the gate nor shut a warning one."""
        text = "patchgate failed to decide, its log says why"
        verdict = Verdict("the object", allowed=False, reason=Reason.INTERNAL_ERROR, text=text)
        return conclude([verdict], mode, is_softened=self.on_error is OnError.ALLOW)


def _refuse(fault: str) -> Verdict:
    return Verdict("the object", allowed=False, reason=Reason.INVALID_OBJECT, text=fault)


def conclude_unread(fault: str, mode: Mode) -> Decision:
    """Decide about an object that was not read: its kind has no images, or (fault) it should have and cannot be."""
    return conclude([_refuse(fault)] if fault else [], mode)
