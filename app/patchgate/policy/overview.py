"""The overview: every listed image with its record, its approval and its time left. Decides nothing new."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from patchgate.policy.pattern import expands_to
from patchgate.policy.record import Approval, Record
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
        time_left: until Pods of it are refused, negative once they are; None where an approval decides instead, or
            where no clock runs yet.
    """

    image: str
    configmap: str
    line: int
    record: Record | None
    approval: Approval | None
    time_left: timedelta | None

    @property
    def is_breached(self) -> bool:
        """Whether the patch SLA has passed without an approval."""
        return self.time_left is not None and self.time_left <= timedelta()

    @property
    def is_stale(self) -> bool:
        """Whether it was approved, and nothing of that is fresh."""
        return self.record is not None and self.approval is None and self.time_left is None


def list_tracked_images(snapshot: Snapshot, now: datetime) -> Iterator[TrackedImage]:
    """List the images of every list line, by repository and tag."""
    for repository in sorted(snapshot.tracked, key=lambda repository: repository.name):
        lines = [(tag, line) for tag, line in sorted(repository.lines.items())]
        for pattern in repository.patterns:
            matching = sorted(_list_matching(repository, pattern.tag))
            lines += [(tag, pattern) for tag in matching or (pattern.tag,)]
        for tag, line in lines:
            record = repository.find_record(tag)
            yield TrackedImage(
                image=f"{repository.name}:{tag}" + (f"@{line.digest}" if line.digest else ""),
                configmap=line.configmap,
                line=line.number,
                record=record,
                approval=snapshot.find_fresh_approval(record, now) if record else None,
                time_left=_reckon_time_left(record, snapshot, now) if record else None,
            )


def _list_matching(repository: Repository, pattern: str) -> Iterator[str]:
    for record in repository.records.values():
        is_own = record.repository == repository.name and record.tag not in repository.lines
        if is_own and expands_to(pattern, record.tag):
            yield record.tag


def _reckon_time_left(record: Record, snapshot: Snapshot, now: datetime) -> timedelta | None:
    if snapshot.has_approval(record):
        return None
    return record.vulnerable_since() + snapshot.policy.patch_sla - now
