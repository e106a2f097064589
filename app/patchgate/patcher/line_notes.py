"""Notes for the gate of lines with a `*` that stand for no image, so that they loosen nothing for good. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from patchgate.patcher.expand import Expansion, list_unmade
from patchgate.patcher.record_step import round_time
from patchgate.policy.part import LineNote, LineState
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import show

LINES_NOTED: Final = 256
"""Lines of one run: with their messages 100 KiB of the first ConfigMap of records."""
NOTE_CHARACTERS: Final = 200
"""The message of a note."""


def make_notes(expansion: Expansion, snapshot: Snapshot, now: datetime) -> tuple[Mapping[str, LineNote], int]:
    """Make the notes, `REPO:TAG` of a line → note, and say how many there was no room for.

    Those of lists whose author decides come first: what a labelled list adds must not crowd them out. A note keeps its
    `since` while the line's state is the same. What a run that was stopped did not ask for stays noted as it is.
    """
    notes: dict[str, LineNote] = {}
    for name, matches in expansion.matches.items():
        repository = snapshot.repositories[name]
        if matches.is_left:
            notes |= {f"{name}:{tag}": note for tag, note in repository.notes.items() if "*" in tag}
        notes |= {
            f"{name}:{line.tag}": _make_note(repository.notes.get(line.tag), state, why, now)
            for line, state, why in list_unmade(repository, matches)
        }
    in_order = sorted(notes.items(), key=lambda item: _is_of_strangers(item[0], snapshot))
    return dict(in_order[:LINES_NOTED]), max(0, len(in_order) - LINES_NOTED)


def _is_of_strangers(line: str, snapshot: Snapshot) -> bool:
    return snapshot.repositories[line.rpartition(":")[0]].is_listed_by_strangers


def _make_note(known: LineNote | None, state: LineState, why: str, now: datetime) -> LineNote:
    since = known.since if known and known.state is state else round_time(now)
    return LineNote(state, min(since, round_time(now)), show(" ".join(why.split()), NOTE_CHARACTERS))
