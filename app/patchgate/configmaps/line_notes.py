"""The field `lines` of `records.json`: lines with a `*` of which a run made no image, and why.

The gate reads it, so that such a line loosens nothing for good; an older one ignores it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from patchgate.configmaps.fields import SchemaModel, Time, say_time, settle
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.part import LineNote, LineState, Problem
from patchgate.policy.verdict import show
from patchgate.validation import say_fault

KEY: Final = "lines"


class _NoteSchema(SchemaModel, frozen=True):
    state: LineState
    since: Time
    message: str = ""


def read_notes(
    value: object, now: datetime, ahead: list[str], problems: list[Problem], configmap: str
) -> dict[str, LineNote]:
    """Read the notes, `REPO:TAG` → note; one that cannot be read is reported, and its line is as if nobody had looked.

    now, ahead: as `fields.settle` has them.
    """
    notes = {}
    for line, each in value.items() if isinstance(value, dict) else ():
        try:
            schema = settle(msgspec.convert(each, _NoteSchema), now, ahead)
        except ValueError as error:
            reason = say_fault(error) if isinstance(error, msgspec.ValidationError) else str(error)
            place = f"{KEY}: {show(str(line), SHOWN_VALUE_CHARACTERS)}"
            problems.append(Problem(configmap, place, reason))
            continue
        notes[line] = LineNote(schema.state, schema.since, schema.message)
    return notes


def write_notes(notes: Mapping[str, LineNote]) -> dict[str, object]:
    """Write the field; nothing where there are no notes."""
    field = {
        line: {"state": note.state.value, "since": say_time(note.since), "message": note.message}
        for line, note in sorted(notes.items())
    }
    return {KEY: field} if field else {}
