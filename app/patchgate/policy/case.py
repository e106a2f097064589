"""A case: one image, with everything that a row of the decision table looks at, looked up once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchgate.errors import InvalidReferenceError
from patchgate.policy.policy import Policy
from patchgate.policy.record import Approval, Record
from patchgate.policy.reference import Reference
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


@dataclass(frozen=True, slots=True)
class Asker:
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
        return cls(namespace or None, operation is Operation.CREATE and username in controllers)


@dataclass(frozen=True, slots=True)
class Case:
    """One image and what is known of it.

    Attributes:
        image: as asked.
        reference: under its canonical name; None where the text is none.
        fault: why the text is no reference; empty where it is one.
        repository: the tracked repository; None where it is not tracked.
        approval: the approval that the tag or digest names, fresh or not.
        record: the record of the listed tag, or of the digest's source.
        is_listed: whether a list line lists the tag (never for a digest).
        snapshot: what all this was found in.
        asker: who asks.
        now: aware UTC.
    """

    image: Image
    reference: Reference | None
    fault: str
    repository: Repository | None
    approval: Approval | None
    record: Record | None
    is_listed: bool
    snapshot: Snapshot
    asker: Asker
    now: datetime

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.snapshot.policy

    @property
    def has_fresh_approval(self) -> bool:
        """Whether what the tag or digest names is approved, and verified lately."""
        return self.approval is not None and self.approval.is_fresh(self.now, self.policy.stale_after)


def open_case(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Case:
    """Look up what the snapshot knows of the image. Never raises."""
    try:
        reference = snapshot.policy.naming.rename(Reference.parse(image.text))
    except InvalidReferenceError as error:
        return Case(image, None, str(error), None, None, None, is_listed=False, snapshot=snapshot, asker=asker, now=now)
    repository = snapshot.find_repository(reference.repository)
    approval = record = line = None
    if repository and reference.digest:  # the digest alone decides; the tag beside it is for people
        approval = repository.approvals_by_digest.get(reference.digest)
        record = next(iter(repository.sources.get(reference.digest, ())), None)
    elif repository and reference.tag:
        approval = repository.approvals_by_tag.get(reference.tag)
        line = repository.find_line(reference.tag)
        record = repository.find_record(reference.tag) if line else None
    return Case(
        image, reference, "", repository, approval, record, line is not None, snapshot=snapshot, asker=asker, now=now
    )
