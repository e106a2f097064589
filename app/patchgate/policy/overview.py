"""The overview: every listed image with its record, its approval and its time left. Decides nothing new."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

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


def list_tracked_images(snapshot: Snapshot, now: datetime, offset: int = 0) -> Iterator[TrackedImage]:
    """List the images of every list line, by repository and tag. offset: how many of the first are passed over."""
    for repository, tag, line in islice(_list_lines(snapshot), offset, None):
        image = f"{repository.name}:{tag}" + (f"@{line.digest}" if line.digest else "")
        yield _describe(image, line, repository.find_record(tag), snapshot, now)


def _list_lines(snapshot: Snapshot) -> Iterator[tuple[Repository, str, ListLine]]:
    for repository in sorted(snapshot.tracked, key=lambda repository: repository.name):
        for tag, line in sorted(_list_tags(repository).items()):
            yield repository, tag, line


def _list_tags(repository: Repository) -> dict[str, ListLine]:
    """List the tags that a line lists, each once; a pattern without a record stands for itself."""
    tags = dict(repository.lines)
    for pattern in repository.patterns:
        matching = [tag for tag in repository.list_recorded_tags() if expands_to(pattern.tag, tag)]
        for tag in matching or (pattern.tag,):
            tags.setdefault(tag, pattern)
    return tags


def _describe(image: str, line: ListLine, record: Record | None, snapshot: Snapshot, now: datetime) -> TrackedImage:
    is_approved = record is not None and snapshot.has_approval(record)
    approval = snapshot.find_fresh_approval(record, now) if record else None
    time_left = None
    if record and not is_approved and record.state is not State.UNPATCHABLE:
        time_left = record.vulnerable_since() + snapshot.policy.patch_sla - now
    is_stale = is_approved and approval is None
    return TrackedImage(image, line.configmap, line.number, record, approval, is_stale, time_left)
