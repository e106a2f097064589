"""The overview: every listed image with its record, its approval and its time left. Decides nothing new."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from patchgate.policy.part import ListLine
from patchgate.policy.pattern import expands_to
from patchgate.policy.record import Approval, Record, State
from patchgate.policy.repository import Repository
from patchgate.policy.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class TrackedImage:
    """A listed image.

    Attributes:
        image: `REPO:TAG` or `REPO:TAG@DIGEST`, normalised; the tag with `*` where nothing matched it yet.
        configmap: the list that names it.
        line: its line there, from 1.
        record: what the patcher knows; None before its first look.
        approval: the fresh approval to use; None where there is none.
        is_stale: whether it was approved, and nothing of that is fresh.
        time_left: until Pods of it are refused, negative once they are; None where no clock runs: an approval decides,
            it cannot be patched, or nobody has looked yet.
    """

    image: str
    configmap: str
    line: int
    record: Record | None
    approval: Approval | None
    is_stale: bool
    time_left: timedelta | None

    @property
    def is_breached(self) -> bool:
        """Whether the patch SLA has passed without an approval."""
        return self.time_left is not None and self.time_left <= timedelta()


def list_tracked_images(snapshot: Snapshot, now: datetime) -> Iterator[TrackedImage]:
    """List the images of every list line, by repository and tag."""
    for repository in sorted(snapshot.tracked, key=lambda repository: repository.name):
        lines = [(tag, line) for tag, line in sorted(repository.lines.items())]
        for pattern in repository.patterns:
            matching = sorted(_list_matching(repository, pattern.tag))
            lines += [(tag, pattern) for tag in matching or (pattern.tag,)]
        for tag, line in lines:
            image = f"{repository.name}:{tag}" + (f"@{line.digest}" if line.digest else "")
            yield _describe(image, line, repository.find_record(tag), snapshot, now)


def _describe(image: str, line: ListLine, record: Record | None, snapshot: Snapshot, now: datetime) -> TrackedImage:
    is_approved = record is not None and snapshot.has_approval(record)
    approval = snapshot.find_fresh_approval(record, now) if record else None
    time_left = None
    if record and not is_approved and record.state is not State.UNPATCHABLE:
        time_left = record.vulnerable_since() + snapshot.policy.patch_sla - now
    is_stale = is_approved and approval is None
    return TrackedImage(image, line.configmap, line.number, record, approval, is_stale, time_left)


def _list_matching(repository: Repository, pattern: str) -> Iterator[str]:
    for record in repository.records.values():
        is_own = record.repository == repository.name and record.tag not in repository.lines
        if is_own and expands_to(pattern, record.tag):
            yield record.tag
