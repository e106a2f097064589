"""The field `lines` of `records.json`: lines with a `*` of which a run made no image, and why.

The gate reads it, so that such a line loosens nothing for good; an older one ignores it.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from patchgate.configmaps.fields import PastTime, say_time
from patchgate.configmaps.record_schema import SchemaModel
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.part import LineNote, LineState, Problem
from patchgate.policy.verdict import show
from patchgate.validation import say_first_error

KEY: Final = "lines"


class _NoteSchema(SchemaModel):
    state: LineState
    since: PastTime
    message: str = ""


_SCHEMA: Final = TypeAdapter(_NoteSchema)


def read_notes(
    value: object, context: Mapping[str, Any], problems: list[Problem], configmap: str
) -> dict[str, LineNote]:
    """Read the notes, `REPO:TAG` → note; one that cannot be read is reported, and its line is as if nobody had looked.

    context: of the validation of times (`fields.PastTime`).
    """
    notes = {}
    for line, each in value.items() if isinstance(value, dict) else ():
        try:
            schema = _SCHEMA.validate_python(each, context=dict(context))
        except ValidationError as error:
            place = f"{KEY}: {show(str(line), SHOWN_VALUE_CHARACTERS)}"
            problems.append(Problem(configmap, place, say_first_error(error)))
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
