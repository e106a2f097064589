"""Parts: what one ConfigMap contributes to the snapshot. Immutable, made by `configmaps`, joined by the snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from patchgate.policy.exception import ImageException
from patchgate.policy.policy import Naming, Policy
from patchgate.policy.record import Record


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the data that does not count, and why; everything else does.

    Attributes:
        configmap: the ConfigMap (or file) that holds it.
        place: line, key or entry in it; empty for the whole.
        reason: what is wrong, and what to write instead.
    """

    configmap: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.configmap, self.place, self.reason)))


@dataclass(frozen=True, slots=True)
class ListLine:
    """One line of `images.txt`.

    Attributes:
        repository: normalised.
        tag: as written, perhaps with `*`.
        digest: where the line pins one.
        configmap: the ConfigMap it stands in.
        number: its line there, from 1.
        is_qualified: whether it names its registry; one without means docker.io.
    """

    repository: str
    tag: str
    digest: str | None
    configmap: str
    number: int
    is_qualified: bool = True

    @property
    def is_pattern(self) -> bool:
        """Whether the tag stands for several."""
        return "*" in self.tag


class LineState(StrEnum):
    """Why a run made no image of a line with a `*`."""

    EMPTY = "empty"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LineNote:
    """What a run has noted of a line with a `*` of which it made no image.

    Attributes:
        state: why.
        since: when a run first found it so; aware UTC.
        message: the same for people, one line.
    """

    state: LineState
    since: datetime
    message: str

    def is_final(self, now: datetime, patch_sla: timedelta) -> bool:
        """Tell whether the line loosens nothing any more; where its registry fails it has the time of an SLA."""
        return self.state is not LineState.FAILED or now - self.since > patch_sla


@dataclass(frozen=True, slots=True)
class BadLine:
    """One line of `images.txt` that has no effect.

    Attributes:
        configmap: the ConfigMap it is in.
        number: its line there, from 1.
        text: what it is, without its comment.
        reason: what is wrong, and what to write instead.
        repositories: those that it names, normalised: they stay tracked. Empty if it cannot be told.
    """

    configmap: str
    number: int
    text: str
    reason: str
    repositories: tuple[str, ...]

    @property
    def place(self) -> str:
        """The ConfigMap and the line, for people."""
        return f"{self.configmap}, line {self.number}"

    @property
    def problem(self) -> Problem:
        """The same as a problem of the data."""
        return Problem(self.configmap, f"line {self.number}", f"{self.text!r}: {self.reason}")


@dataclass(frozen=True, slots=True)
class ImageListPart:
    """An image list; the main one carries the policy.

    Attributes:
        name: the ConfigMap.
        lines: repository that the list names → its lines, in order; none where no line of it parses whole.
        policy: of the main list; None on a labelled one.
        problems: what does not count.
        bad_lines: lines that have no effect; each is one of the problems too.
        naming_badly: repository → the first bad line that names it.
    """

    name: str
    lines: Mapping[str, tuple[ListLine, ...]]
    policy: Policy | None
    problems: tuple[Problem, ...]
    bad_lines: tuple[BadLine, ...] = ()
    naming_badly: Mapping[str, BadLine] = field(default_factory=dict)

    def under(self, naming: Naming) -> "ImageListPart":
        """Give the list with every repository under its canonical name, and naming the push targets too."""
        lines: dict[str, tuple[ListLine, ...]] = {}
        for repository, its_lines in self.lines.items():
            name = naming.canonical(repository)
            renamed = its_lines if name == repository else tuple(replace(line, repository=name) for line in its_lines)
            lines[name] = _merge(lines[name], renamed) if name in lines else renamed
        targets = {target for name in lines if (target := naming.find_target(name))}
        if self.policy:
            targets |= {target for _, target in naming.push_to}
        badly = {naming.canonical(name): line for name, line in self.naming_badly.items()}
        return replace(
            self,
            lines=lines | {target: () for target in sorted(targets) if target not in lines},
            naming_badly={name: line for name, line in badly.items() if name not in targets and not lines.get(name)},
        )


@dataclass(frozen=True, slots=True)
class RecordsPart:
    """Patch records.

    Attributes:
        name: the ConfigMap.
        records: key → record of `records.json`.
        approvals: key → record that the lines of `digests.txt` stand for; counts where no ConfigMap has a record.
        generation: of the last write.
        last_run: when the patcher last ran; None where it never did.
        problems: what does not count.
        notes: `REPO:TAG` of a line, the tag with its `*` → what a run noted of it.
    """

    name: str
    records: Mapping[str, Record]
    approvals: Mapping[str, Record]
    generation: int
    last_run: datetime | None
    problems: tuple[Problem, ...]
    notes: Mapping[str, LineNote] = field(default_factory=dict)

    def under(self, naming: Naming) -> "RecordsPart":
        """Give the records with every repository under its canonical name."""
        return replace(
            self,
            records=_rename(self.records, naming),
            approvals=_rename(self.approvals, naming),
            notes=_rename_notes(self.notes, naming),
        )


@dataclass(frozen=True, slots=True)
class ExceptionsPart:
    """Exceptions, expired ones included: what has expired is decided with a clock.

    Attributes:
        name: the ConfigMap.
        exceptions: what is in force until it expires.
        problems: what does not count.
    """

    name: str
    exceptions: tuple[ImageException, ...]
    problems: tuple[Problem, ...]

    def under(self, naming: Naming) -> "ExceptionsPart":
        """Give the exceptions with every registry under its own name."""
        return replace(self, exceptions=tuple(exception.under(naming) for exception in self.exceptions))


def _merge(lines: tuple[ListLine, ...], others: tuple[ListLine, ...]) -> tuple[ListLine, ...]:
    """Merge the lines of two names of one repository, in the order of the list; equal ones are one."""
    first: dict[tuple[str, str | None], ListLine] = {}
    for line in sorted((*lines, *others), key=lambda line: line.number):
        first.setdefault((line.tag, line.digest), line)
    return tuple(first.values())


def _rename(records: Mapping[str, Record], naming: Naming) -> Mapping[str, Record]:
    if not naming.mirrors:
        return records
    renamed = (record.rename(naming.canonical) for record in records.values())
    return {record.key: record for record in sorted(renamed, key=lambda record: record.updated)}  # the newest wins


def _rename_notes(notes: Mapping[str, LineNote], naming: Naming) -> Mapping[str, LineNote]:
    if not naming.mirrors:
        return notes
    parts = ((*line.rpartition(":"), note) for line, note in notes.items())
    return {f"{naming.canonical(repository)}:{tag}": note for repository, _, tag, note in parts}


Part = ImageListPart | RecordsPart | ExceptionsPart
