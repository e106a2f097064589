"""The overview: every listed image with its record, its approval and its time left. Decides nothing new."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter

from patchgate.policy.pace import Pace, sort_in_runs
from patchgate.policy.part import BadLine, ImageListPart, LineNote, ListLine
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
        note: why a run made no image of its line; None where it made one, or none has looked yet.
    """

    image: str
    configmap: str
    line: int
    record: Record | None
    approval: Approval | None
    is_stale: bool
    time_left: timedelta | None
    note: LineNote | None = None

    @property
    def is_breached(self) -> bool:
        """Whether the patch SLA has passed without an approval."""
        return self.time_left is not None and self.time_left <= timedelta()


def list_tracked_images(
    snapshot: Snapshot, now: datetime, offset: int = 0, pace: Pace = iter
) -> Iterator[TrackedImage]:
    """List the images of every list line, by repository and tag. offset: how many of the first are passed over."""
    for repository, tag, line in islice(_list_lines(snapshot, pace), offset, None):
        yield _describe(repository, tag, line, snapshot, now)


def list_bad_lines(snapshot: Snapshot) -> Iterator[BadLine]:
    """List the lines of every list that have no effect, the main list's first."""
    for part in snapshot.parts.values():
        if isinstance(part, ImageListPart):
            yield from part.bad_lines


def find_tracked_image(name: str, snapshot: Snapshot, now: datetime, pace: Pace = iter) -> TrackedImage | None:
    """Find the image of that name, as it is listed; None where none is."""
    tagged, _, digest = name.partition("@")
    repository_name, _, tag = tagged.rpartition(":")
    repository = snapshot.find_repository(repository_name)
    line = _list_tags(repository, pace).get(tag) if repository else None
    if repository is None or line is None or (line.digest or "") != digest:
        return None
    return _describe(repository, tag, line, snapshot, now)


def _list_lines(snapshot: Snapshot, pace: Pace) -> Iterator[tuple[Repository, str, ListLine]]:
    for repository in sort_in_runs(snapshot.tracked, lambda repository: repository.name, pace):
        for tag, line in sort_in_runs(_list_tags(repository, pace).items(), itemgetter(0), pace):
            yield repository, tag, line


def _list_tags(repository: Repository, pace: Pace) -> dict[str, ListLine]:
    """List the tags that a line lists, each once; a pattern without a record stands for itself."""
    tags = dict(repository.lines)
    for pattern in repository.patterns:
        matching = [tag for tag in pace(repository.list_recorded_tags()) if expands_to(pattern.tag, tag)]
        for tag in matching or (pattern.tag,):
            tags.setdefault(tag, pattern)
    return tags


def _describe(repository: Repository, tag: str, line: ListLine, snapshot: Snapshot, now: datetime) -> TrackedImage:
    image = f"{repository.name}:{tag}" + (f"@{line.digest}" if line.digest else "")
    record = repository.find_record(tag)
    is_approved = record is not None and snapshot.has_approval(record)
    approval = snapshot.find_fresh_approval(record, now) if record else None
    time_left = None
    if record and not is_approved and record.state is not State.UNPATCHABLE:
        clock = record.clock_of(None)
        time_left = timedelta() if record.first_patched else clock.since + snapshot.policy.patch_sla - now
    is_stale = is_approved and approval is None
    note = repository.notes.get(line.tag) if record is None else None
    return TrackedImage(image, line.configmap, line.number, record, approval, is_stale, time_left, note)
