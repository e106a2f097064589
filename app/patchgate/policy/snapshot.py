"""The snapshot: an immutable view over immutable parts, one part a ConfigMap, indexed by repository, tag and digest.

A change gives a new snapshot that shares whatever the change did not touch: only the repositories that a changed part
names are indexed again. A reader takes one snapshot and never sees another half way.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from patchgate.policy.exception import ExceptionIndex
from patchgate.policy.part import ExceptionsPart, ImageListPart, LineNote, Part, Problem, RecordsPart
from patchgate.policy.policy import Effect, Policy
from patchgate.policy.record import Approval, Record
from patchgate.policy.repository import Repository
from patchgate.policy.verdict import say_time


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """Everything that a decision may look at.

    Whoever remembers something of one for later holds it weakly: of 100,000 images a second one is 250 MiB.

    Attributes:
        parts: ConfigMap → part, as read; the main image list first, then by name.
        canonical_parts: the same under the names that the policy gives (mirrors, push targets).
        policy: of the main image list.
        repositories: normalised name → what is known of it.
        exceptions: by what they name.
        last_run: when a patcher last ran; None where none did.
        generation: the highest of all record ConfigMaps; shown, never compared.
        conflicts: lines that another line overrules, perhaps in another part.
        images: how many image lines are in force.
        is_complete: whether the main image list has been read: before that nobody knows what is tracked.
    """

    parts: Mapping[str, Part]
    canonical_parts: Mapping[str, Part]
    policy: Policy
    repositories: Mapping[str, Repository]
    exceptions: ExceptionIndex
    last_run: datetime | None
    generation: int
    conflicts: tuple[Problem, ...]
    images: int
    is_complete: bool

    @classmethod
    def build(cls, parts: Iterable[Part], previous: "Snapshot | None" = None) -> "Snapshot":
        """Join the parts, sharing with the previous snapshot what no changed part (by identity) touches."""
        as_read = {part.name: part for part in sorted(parts, key=_order_of_part)}
        policies = (part.policy for part in as_read.values() if isinstance(part, ImageListPart) and part.policy)
        main_policy = next(policies, None)
        policy = main_policy or Policy()
        shared = previous if previous and previous.policy.naming == policy.naming else None
        canonical = {
            name: shared.canonical_parts[name]
            if shared and shared.parts.get(name) is part
            else part.under(policy.naming)
            for name, part in as_read.items()
        }
        records = [part for part in canonical.values() if isinstance(part, RecordsPart)]
        lists = (part for part in as_read.values() if isinstance(part, ImageListPart))
        repositories = _index_repositories(canonical, shared)
        return cls(
            parts=as_read,
            canonical_parts=canonical,
            policy=policy,
            repositories=repositories,
            exceptions=_index_exceptions(canonical, shared),
            last_run=max((part.last_run for part in records if part.last_run), default=None),
            generation=max((part.generation for part in records), default=0),
            conflicts=tuple(problem for repository in repositories.values() for problem in repository.problems),
            images=sum(len(lines) for part in lists for lines in part.lines.values()),
            is_complete=main_policy is not None,
        )

    def find_repository(self, name: str) -> Repository | None:
        """Find the tracked repository of that canonical name."""
        repository = self.repositories.get(name)
        return repository if repository and repository.is_tracked else None

    def has_approval(self, record: Record) -> bool:
        """Tell whether the record has an approval, fresh or not, that holds in its repository."""
        return any(map(self._holds, record.approvals))

    def find_fresh_approval(self, record: Record, now: datetime) -> Approval | None:
        """Find the freshest approval of the record, if a Pod could use it now."""
        freshest, stale_after = None, self.policy.stale_after
        for approval in record.approvals:
            is_fresher = freshest is None or freshest.verified < approval.verified
            if is_fresher and approval.is_fresh(now, stale_after) and self._holds(approval):
                freshest = approval
        return freshest

    def _holds(self, approval: Approval) -> bool:
        repository = self.repositories.get(approval.repository)
        return repository is not None and approval.digest in repository.approvals_by_digest

    @property
    def tracked(self) -> Iterator[Repository]:
        """Every tracked repository."""
        return (repository for repository in self.repositories.values() if repository.is_tracked)

    def list_problems(self, now: datetime) -> Iterator[Problem]:
        """List what does not count, in every part and between them, and the exceptions that have expired."""
        for part in self.parts.values():
            yield from part.problems
            if isinstance(part, ExceptionsPart):
                for exception in part.exceptions:
                    if exception.expires <= now:
                        yield Problem(part.name, str(exception.pattern), f"expired at {say_time(exception.expires)}")
        yield from self.conflicts
        if self.policy.unqualified is not Effect.ALLOW:
            yield from self._list_unqualified()

    def _list_unqualified(self) -> Iterator[Problem]:
        """List the lines that name no registry, where the policy wants one in what Pods name."""
        for part in self.parts.values():
            lines = part.lines.values() if isinstance(part, ImageListPart) else ()
            for line in chain.from_iterable(lines):
                if not line.is_qualified:
                    name = f"{line.repository}:{line.tag}"
                    yield Problem(
                        part.name, f"line {line.number}", f"names no registry: it is read as {name}; write that"
                    )


def _order_of_part(part: Part) -> tuple[bool, str]:
    return (not (isinstance(part, ImageListPart) and part.policy), part.name)


def _index_exceptions(parts: Mapping[str, Part], previous: Snapshot | None) -> ExceptionIndex:
    before = previous.canonical_parts if previous else {}
    if previous and not any(isinstance(part, ExceptionsPart) for part in _list_changed(before, parts)):
        return previous.exceptions
    holders = (part for part in parts.values() if isinstance(part, ExceptionsPart))
    return ExceptionIndex.build(exception for part in holders for exception in part.exceptions)


def _index_repositories(parts: Mapping[str, Part], previous: Snapshot | None) -> Mapping[str, Repository]:
    """Index the repositories that a changed part touches; take the others from the previous snapshot."""
    before = previous.canonical_parts if previous else {}
    changed = _list_changed(before, parts)
    keys = _list_changed_keys(before, parts)
    gone = _find_newest_records(before.values(), keys)
    touched = _group_by_repository(_find_newest_records(parts.values(), keys))
    names = {name for part in changed if isinstance(part, ImageListPart) for name in part.lines}
    notes, notes_before = _join_notes(parts.values()), _join_notes(before.values())
    names |= {line.rpartition(":")[0] for line, _ in notes.items() ^ notes_before.items()}
    notes_of = _group_notes(notes)
    lists = [part for part in parts.values() if isinstance(part, ImageListPart)]
    index = dict(previous.repositories) if previous else {}
    for name in names | touched.keys() | _group_by_repository(gone).keys():
        known = index.pop(name, None)
        kept = {key: record for key, record in known.records.items() if key not in keys} if known else {}
        records = kept | touched.get(name, {})
        naming_lists = [part for part in lists if name in part.lines]
        if naming_lists or records:
            index[name] = Repository.build(name, naming_lists, records, notes_of.get(name))
    return index


def _join_notes(parts: Iterable[Part]) -> dict[str, LineNote]:
    return {line: note for part in parts if isinstance(part, RecordsPart) for line, note in part.notes.items()}


def _group_notes(notes: Mapping[str, LineNote]) -> dict[str, dict[str, LineNote]]:
    """Group notes by repository: the tag of the line → its note."""
    groups: dict[str, dict[str, LineNote]] = defaultdict(dict)
    for line, note in notes.items():
        repository, _, tag = line.rpartition(":")
        groups[repository][tag] = note
    return groups


def _list_changed_keys(before: Mapping[str, Part], now: Mapping[str, Part]) -> set[str]:
    """List the keys whose record came, changed or went, by identity: a part that is read again shares the others."""
    keys: set[str] = set()
    for part in _list_changed(before, now):
        if isinstance(part, RecordsPart):
            other = (now if before.get(part.name) is part else before).get(part.name)
            records, approvals = (other.records, other.approvals) if isinstance(other, RecordsPart) else ({}, {})
            keys |= {key for key, record in part.records.items() if records.get(key) is not record}
            keys |= {key for key, record in part.approvals.items() if approvals.get(key) is not record}
    return keys


def _group_by_repository(records: Mapping[str, Record]) -> dict[str, dict[str, Record]]:
    """Group records by the repositories they touch: their own, and those they approve into."""
    groups: dict[str, dict[str, Record]] = defaultdict(dict)
    for key, record in records.items():
        for name in {record.repository, *(approval.repository for approval in record.approvals)}:
            groups[name][key] = record
    return groups


def _list_changed(before: Mapping[str, Part], now: Mapping[str, Part]) -> list[Part]:
    """List the parts that came, changed or went, both as they were and as they are."""
    names = [name for name in before.keys() | now.keys() if before.get(name) is not now.get(name)]
    return [part for parts in (before, now) for name in names if (part := parts.get(name))]


def _find_newest_records(parts: Iterable[Part], keys: Collection[str]) -> dict[str, Record]:
    """Find each key's record: the newest of all ConfigMaps wins whole; `digests.txt` counts where none has one."""
    records = [part for part in parts if isinstance(part, RecordsPart)]
    newest = _keep_newest((part.records for part in records), keys)
    return _keep_newest((part.approvals for part in records), keys) | newest


def _keep_newest(sources: Iterable[Mapping[str, Record]], keys: Collection[str]) -> dict[str, Record]:
    newest: dict[str, Record] = {}
    for records in sources:
        for key in records.keys() & keys:
            record = records[key]
            if key not in newest or newest[key].updated < record.updated:
                newest[key] = record
    return newest
