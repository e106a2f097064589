"""One repository of the snapshot: its list lines, records and approvals, indexed by tag and by digest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from patchgate.limits import PATTERNS_OF_A_REPOSITORY
from patchgate.policy.part import BadLine, ImageListPart, LineNote, LineState, ListLine, Problem
from patchgate.policy.pattern import expands_to, why_never_listed
from patchgate.policy.record import Approval, Record

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Repository:
    """What is known of a tracked repository.

    Attributes:
        name: normalised.
        is_tracked: whether a list line, an approval or a push target names it; else it only has records.
        is_listed_by_strangers: whether, of all lists, only labelled ones name it: what they do not list is then
            warned about, never denied.
        lines: listed tag → its first line.
        patterns: lines whose tag stands for several.
        approvals_by_tag: tag → freshest approval given to it.
        approvals_by_digest: digest of an index or a platform → freshest approval of it.
        sources: digest → records that have it as a source, those with an approval first.
        records: key → record that touches the repository: its own, and those that approve into it.
        has_line_without_record: whether the patcher has yet to look at some line (of the main list, where that names
            the repository: whoever adds a list must not loosen what others own).
        notes: tag of a line, perhaps with a `*` → why no further image comes of it.
        deciding_notes: those of the lines that `has_line_without_record` looks at.
        unseen_pins: digests that lines carry and the patcher has yet to look at.
        problems: lines that another line overrules.
        bad_line: the line that names the repository and has no effect, where nothing else tracks it.
    """

    name: str
    is_tracked: bool
    is_listed_by_strangers: bool
    lines: Mapping[str, ListLine]
    patterns: tuple[ListLine, ...]
    approvals_by_tag: Mapping[str, Approval]
    approvals_by_digest: Mapping[str, Approval]
    sources: Mapping[str, tuple[Record, ...]]
    records: Mapping[str, Record]
    has_line_without_record: bool
    notes: Mapping[str, LineNote]
    deciding_notes: tuple[LineNote, ...]
    unseen_pins: frozenset[str]
    problems: tuple[Problem, ...]
    bad_line: BadLine | None = None

    @classmethod
    def build(
        cls,
        name: str,
        lists: Sequence[ImageListPart],
        records: Mapping[str, Record],
        notes: Mapping[str, LineNote] | None = None,
    ) -> "Repository":
        """Index what names the repository.

        lists: those that name it, the main one first: of two lines of one tag the first counts.
        records: those that touch it.
        notes: what runs noted of its lines, by their tag.
        """
        main = [part for part in lists if part.policy]
        listed = [
            line if part in main or not main else replace(line, digest=None)
            for part in lists
            for line in part.lines[name]
        ]
        lines, problems = _index_lines(listed)
        all_patterns = [line for line in listed if line.is_pattern]
        patterns = tuple(all_patterns[:PATTERNS_OF_A_REPOSITORY])
        own = {record.tag: record for record in records.values() if record.repository == name}
        approvals = [each for record in records.values() for each in record.approvals if each.repository == name]
        by_tag, by_digest = _index_approvals(approvals, own, records.values())
        unmade = [line for line in (*lines.values(), *patterns) if _lacks_record(line, own)]
        known = ((line, _find_note(line, notes or {})) for line in (*lines.values(), *patterns))
        noted = {
            line.tag: note
            for line, note in known
            if note and (line in unmade or note.state is not LineState.EMPTY)  # one that matches by now is not empty
        }
        deciding = {line.tag for part in main or lists for line in part.lines[name]} & {line.tag for line in unmade}
        return cls(
            name=name,
            is_tracked=bool(lists or approvals),
            is_listed_by_strangers=bool(lists) and not main,
            lines=lines,
            patterns=patterns,
            approvals_by_tag=by_tag,
            approvals_by_digest=by_digest,
            sources=_index_sources(own.values()),
            records=records,
            has_line_without_record=bool(deciding - noted.keys()),
            notes=noted,
            deciding_notes=tuple(note for tag, note in noted.items() if tag in deciding),
            unseen_pins=frozenset(line.digest for line in lines.values() if line.digest and _is_unseen(line, own)),
            problems=(
                *problems,
                *map(_report_pattern, all_patterns[PATTERNS_OF_A_REPOSITORY:]),
                *(_report_note(line, noted[line.tag]) for line in (*lines.values(), *patterns) if line.tag in noted),
            ),
            bad_line=None if approvals else _find_bad_line(name, lists),
        )

    def find_line(self, tag: str) -> ListLine | None:
        """Find the line that lists the tag, by name or by pattern."""
        line = self.lines.get(tag)
        if line or not self.patterns:
            return line
        return next((line for line in self.patterns if expands_to(line.tag, tag)), None)

    def find_fault(self, tag: str) -> LineNote | None:
        """Find why nothing comes of the lines that list the tag; None where something may of one of them."""
        line = self.lines.get(tag)
        lines = [line] if line else [each for each in self.patterns if expands_to(each.tag, tag)]
        notes = [self.notes.get(each.tag) for each in lines]
        return notes[0] if all(notes) and notes else None

    def find_record(self, tag: str) -> Record | None:
        """Find the record of the tag in this repository."""
        return self.records.get(f"{self.name}:{tag}")

    def find_owner(self, approval: Approval) -> Record | None:
        """Find the record that holds the approval. Looks at each record of the repository."""
        holders = (record for record in self.records.values() if any(each is approval for each in record.approvals))
        return next(holders, None)

    def list_recorded_tags(self) -> Iterable[str]:
        """List the tags of this repository that have a record."""
        return (record.tag for record in self.records.values() if record.repository == self.name)

    def tags_of_source(self, digest: str) -> Iterable[str]:
        """Give the tags whose record has the digest as a source."""
        return (record.tag for record in self.sources.get(digest, ()))


def _find_bad_line(name: str, lists: Sequence[ImageListPart]) -> BadLine | None:
    """Find the first bad line that names the repository, where every list that names it has only such lines."""
    bad_lines = [part.naming_badly.get(name) for part in lists]
    return bad_lines[0] if bad_lines and all(bad_lines) else None


def _index_lines(lines: Iterable[ListLine]) -> tuple[dict[str, ListLine], tuple[Problem, ...]]:
    index: dict[str, ListLine] = {}
    problems = []
    for line in lines:
        first = line if line.is_pattern else index.setdefault(line.tag, line)
        if first.digest != line.digest:
            where = f"{first.configmap}, line {first.number}"
            reason = f"{line.repository}:{line.tag} stands with another digest in {where}, and the first counts"
            problems.append(Problem(line.configmap, f"line {line.number}", reason))
    return index, tuple(problems)


def _report_pattern(line: ListLine) -> Problem:
    reason = f"one repository has at most {PATTERNS_OF_A_REPOSITORY} patterns; this one does not count"
    return Problem(line.configmap, f"line {line.number}", reason)


def _report_note(line: ListLine, note: LineNote) -> Problem:
    return Problem(line.configmap, f"line {line.number}", f"{line.repository}:{line.tag} {note.message}")


def _index_approvals(
    approvals: Iterable[Approval], own: Mapping[str, Record], touching: Iterable[Record]
) -> tuple[dict[str, Approval], dict[str, Approval]]:
    """Index the approvals.

    A source found vulnerable is never one, and a tag that has moved on is no approval's tag any more.
    """
    vulnerable = {digest for record in touching for digest in record.vulnerable_sources}
    by_tag: dict[str, Approval] = {}
    by_digest: dict[str, Approval] = {}
    for approval in approvals:
        if approval.digest in vulnerable:
            continue
        if not _has_moved_on(approval, own.get(approval.tag)):
            _keep_freshest(by_tag, approval.tag, approval)
        for digest in approval.digests - vulnerable:
            _keep_freshest(by_digest, digest, approval)
    return by_tag, by_digest


def _has_moved_on(approval: Approval, record: Record | None) -> bool:
    return record is not None and record.source_digest not in (None, approval.digest)


def _keep_freshest(index: dict[str, Approval], key: str, approval: Approval) -> None:
    """Keep the one verified last; of two as fresh always the same, in whichever order they come."""
    known = index.get(key)
    if known is None or _order_of_approval(known) < _order_of_approval(approval):
        index[key] = approval


def _order_of_approval(approval: Approval) -> tuple[datetime, str, str, list[tuple[str, str]]]:
    return (approval.verified, approval.tag, approval.digest, sorted(approval.platforms.items()))


def _index_sources(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """Index sources; of several records of one, that whose clock started first comes first."""
    index: dict[str, list[Record]] = {}
    for record in records:
        for digest in dict.fromkeys(record.sources):
            index.setdefault(digest, []).append(record)
    return {
        digest: tuple(sorted(known, key=lambda record: (record.clock_of(digest).since, record.tag)))
        for digest, known in index.items()
    }


def _lacks_record(line: ListLine, records: Mapping[str, Record]) -> bool:
    """Tell whether the patcher has yet to look at the line: at its tag, or at any match of its pattern."""
    return not any(expands_to(line.tag, tag) for tag in records) if line.is_pattern else line.tag not in records


def _find_note(line: ListLine, notes: Mapping[str, LineNote]) -> LineNote | None:
    """Find why no image comes of the line: what a run noted, or that no tag of an image is its."""
    if line.is_pattern:
        return notes.get(line.tag)
    why = why_never_listed(line.tag)
    return LineNote(LineState.REFUSED, _ALWAYS, why) if why else None


def _is_unseen(line: ListLine, records: Mapping[str, Record]) -> bool:
    """Tell whether the line's record is of another digest than the line pins, which nobody has tried yet."""
    record = records.get(line.tag)
    return record is not None and record.source_digest is not None and line.digest not in set(record.sources)
