"""What stands now: the snapshot in force, what is wrong with the data, and when the source was last read."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from patchgate.policy.part import ExceptionsPart, ImageListPart, Problem, RecordsPart
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.tally import Tally


@dataclass(slots=True)
class Standing:
    """The one mutable place of the gate. It is changed by the event loop alone; a reader takes the snapshot once.

    Attributes:
        snapshot: in force; None before the first.
        source_problems: what the source could not read.
        read_at: when the source was last read, aware UTC; None before.
        tally: of the snapshot in force, or of the one before; None before the first.
        bad_entries: kind of ConfigMap → entries of it that do not count.
    """

    snapshot: Snapshot | None = None
    source_problems: tuple[Problem, ...] = ()
    read_at: datetime | None = None
    tally: Tally | None = None
    bad_entries: Counter[str] = field(default_factory=Counter)

    def count_bad_entries(self, now: datetime) -> None:
        """Count what does not count, by the kind of ConfigMap that holds it."""
        kinds = {name: _name_kind(part) for name, part in self.snapshot.parts.items()} if self.snapshot else {}
        problems = self.snapshot.list_problems(now) if self.snapshot else iter(())
        self.bad_entries = Counter(kinds.get(problem.configmap, "source") for problem in problems)
        self.bad_entries["source"] += len(self.source_problems)


def _name_kind(part: ImageListPart | RecordsPart | ExceptionsPart) -> str:
    match part:
        case ImageListPart():
            return "image_list"
        case RecordsPart():
            return "records"
        case ExceptionsPart():
            return "exceptions"
