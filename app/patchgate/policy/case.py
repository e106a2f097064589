"""A case: one image, with everything that a row of the decision table looks at, looked up once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from patchgate.errors import InvalidReferenceError
from patchgate.policy.exception import ImageException
from patchgate.policy.part import LineNote, ListLine
from patchgate.policy.policy import DigestRequirement, Policy
from patchgate.policy.record import Approval, Record, SourceClock
from patchgate.policy.reference import Reference, names_registry
from patchgate.policy.repository import Repository
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image, Operation

BUILT_IN_CONTROLLERS: Final = frozenset(
    {"system:kube-controller-manager"}
    | {
        f"system:serviceaccount:kube-system:{name}-controller"
        for name in ("cronjob", "daemon-set", "deployment", "job", "replicaset", "replication", "statefulset")
    }
)


class Asker(Struct, frozen=True, gc=False):
    """Who asks, and where the image is to run.

    Attributes:
        namespace: None where nobody said.
        is_controller: whether a built-in controller makes the object. Known by the user that kube-apiserver
            authenticated, never by ownerReferences, which anybody may write.
    """

    namespace: str | None = None
    is_controller: bool = False

    @classmethod
    def of(
        cls,
        username: str | None,
        operation: Operation,
        namespace: str | None,
        controllers: frozenset[str] = BUILT_IN_CONTROLLERS,
    ) -> "Asker":
        """Name who asks. controllers: the users that count as built-in controllers."""
        return cls(namespace or None, username in controllers and operation is Operation.CREATE)


class Case(Struct, frozen=True, gc=False):
    """One image and what is known of it.

    Attributes:
        image: as asked.
        reference: under its canonical name; None where the text is none.
        fault: why the text is no reference; empty where it is one.
        repository: the tracked repository; None where it is not tracked.
        approval: the approval that the tag or digest names, fresh or not.
        record: the record of the listed tag, or of the digest's source.
        line: the list line that lists the tag; None for a digest.
        snapshot: what all this was found in.
        asker: who asks.
        now: aware UTC.
        has_fresh_approval: whether what the tag or digest names is approved, and verified lately.
    """

    image: Image
    reference: Reference | None
    fault: str
    repository: Repository | None
    approval: Approval | None
    record: Record | None
    line: ListLine | None
    snapshot: Snapshot
    asker: Asker
    now: datetime
    has_fresh_approval: bool = False

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.snapshot.policy

    @property
    def fresh_until(self) -> datetime | None:
        """To when what the tag or digest names is fresh."""
        return self.approval.verified + self.policy.stale_after if self.approval else None

    @property
    def has_digest(self) -> bool:
        """Whether the image is named by digest."""
        return self.reference is not None and self.reference.digest is not None

    @property
    def is_unqualified(self) -> bool:
        """Whether its name has no registry, so that the node's configuration says where it comes from."""
        return not self.fault and not names_registry(self.image.text)

    @property
    def must_carry_digest(self) -> bool:
        """Whether the policy, or the list line of its tag, wants the image named by digest."""
        match self.policy.require_digest:
            case DigestRequirement.ALL:
                return True
            case DigestRequirement.TRACKED if self.approval:
                return True
        return self.line is not None and self.line.digest is not None

    @property
    def patcher_has_run(self) -> bool:
        """Whether some patcher ran within `stale_after`: if none did, a stale approval is not the image's fault."""
        last_run = self.snapshot.last_run
        return last_run is not None and self.now - last_run <= self.policy.stale_after

    @property
    def may_be_an_old_copy(self) -> bool:
        """Whether the tag is a listed one that named something vulnerable before."""
        return self.record is not None and bool(self.record.earlier_sources)

    @property
    def is_earlier_source(self) -> bool:
        """Whether it is a digest that its tag had before, and that was found vulnerable."""
        digest = self.reference.digest if self.reference else None
        return digest is not None and self.record is not None and digest in self.record.earlier_sources

    @property
    def clock(self) -> SourceClock | None:
        """When the SLA and the rollout grace of the very source began; None without a record."""
        return self.record.clock_of(self.reference.digest if self.reference else None) if self.record else None

    @property
    def had_patch(self) -> bool:
        """Whether the very source ever had an approved patch, whatever became of that."""
        digest = self.reference.digest if self.reference else None
        return self.record is not None and self.record.had_patch(digest)

    @property
    def line_fault(self) -> LineNote | None:
        """Why nothing comes of the line that lists the tag; None where something may."""
        tag = self.reference.tag if self.reference else None
        found = self.repository.find_fault(tag) if self.repository and tag else None
        return found if found and found.is_final(self.now, self.policy.patch_sla) else None

    @property
    def is_digest_to_come(self) -> bool:
        """Whether it is a digest that the patcher may yet look at: pinned by a line, or of a line without a record."""
        if self.repository is None or self.reference is None or self.reference.digest is None:
            return False
        if self.repository.has_line_without_record or self.reference.digest in self.repository.unseen_pins:
            return True
        return any(not note.is_final(self.now, self.policy.patch_sla) for note in self.repository.deciding_notes)

    @property
    def source_tags(self) -> tuple[str, ...]:
        """The tags whose record has the image's digest as a source."""
        if self.repository is None or self.reference is None or self.reference.digest is None:
            return ()
        return tuple(self.repository.tags_of_source(self.reference.digest))

    def find_exception(self) -> ImageException | None:
        """Find the exception that covers the image now."""
        if self.reference is None:
            return None
        for exception in self.snapshot.exceptions.find(self.reference):
            if exception.covers(self.reference, self.source_tags, self.asker.namespace, self.now):
                return exception
        return None

    def find_use(self) -> Approval | None:
        """Find what to use instead: an approval whose digest is `Approved` now. None where there is none."""
        if self.has_fresh_approval:
            return self.approval
        record = self.record
        if record is None and self.approval and self.repository:
            record = self.repository.find_owner(self.approval)
        return self.snapshot.find_fresh_approval(record, self.now) if record else None


def open_case(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Case:
    """Look up what the snapshot knows of the image. Never raises."""
    try:
        reference = snapshot.policy.naming.rename(Reference.parse(image.text))
    except InvalidReferenceError as error:
        return Case(image, None, str(error), None, None, None, None, snapshot, asker, now)
    repository = snapshot.find_repository(reference.repository)
    approval = record = line = None
    if repository and reference.digest:  # the digest alone decides; the tag beside it is for people
        approval = repository.approvals_by_digest.get(reference.digest)
        record = _choose_record(repository.sources.get(reference.digest, ()), snapshot)
    elif repository and reference.tag:
        approval = repository.approvals_by_tag.get(reference.tag)
        line = repository.find_line(reference.tag)
        record = repository.find_record(reference.tag) if line else None
    is_fresh = approval is not None and approval.is_fresh(now, snapshot.policy.stale_after)
    return Case(image, reference, "", repository, approval, record, line, snapshot, asker, now, is_fresh)


def _choose_record(records: Sequence[Record], snapshot: Snapshot) -> Record | None:
    """Choose among the records of one source: one with an approval decides, else the clock that started first."""
    approved = (record for record in records if snapshot.has_approval(record))
    return next(approved, records[0] if records else None)
