"""`records.json` of `copa-patched-digests`: reads patch records, each for itself.

A record that does not parse is left out and reported; its last good one stays. A file that cannot be read at all, or
is of a higher schema, is refused whole, and the last good part stays. A record whose text is the one of last time is
not read again: most of a ConfigMap is as it was when one image's record changes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.digests import read_digests
from patchgate.configmaps.fields import Time, read_tagged, settle, settle_time
from patchgate.configmaps.line_notes import KEY as NOTES_KEY
from patchgate.configmaps.line_notes import read_notes
from patchgate.configmaps.record_schema import RecordSchema
from patchgate.limits import GENERATION, RECORDS_SCHEMA, SHOWN_VALUE_CHARACTERS
from patchgate.policy.part import Problem, RecordsPart
from patchgate.policy.record import Record
from patchgate.policy.verdict import show
from patchgate.validation import say_fault

KEY: Final = "records.json"
DIGESTS_KEY: Final = "digests.txt"


class _Head(msgspec.Struct, rename={"schema_": "schema"}):
    """The file without its records' contents: one bad record must not cost the others."""

    schema_: Annotated[int, msgspec.Meta(ge=1)]
    records: dict[str, msgspec.Raw]
    generation: Annotated[int, msgspec.Meta(ge=0, le=GENERATION)] = 0
    last_run: Any = None
    lines: Any = None


_AHEAD: Final = "; it is taken for now: correct that clock, or the patcher's"
_FAST: Final = msgspec.json.Decoder(_Head)
_RECORD: Final = msgspec.json.Decoder(RecordSchema)


def read_records(configmap: ConfigMap, previous: RecordsPart | None, now: datetime) -> RecordsPart:
    """Read a ConfigMap of records and the lines of `digests.txt` that have none.

    now: aware UTC; a time more than five minutes ahead of it is taken for now, and reported.
    """
    name, text = configmap.name, configmap.data.get(KEY, "")
    is_empty = not text.strip() and not configmap.data.get(DIGESTS_KEY, "").strip()
    if (is_empty and previous and previous.approvals) or (not text.strip() and previous and previous.records):
        return _refuse_whole(name, "is empty now", previous)
    try:
        head = _read_head(text) if text.strip() else _Head(RECORDS_SCHEMA, {})
    except ValueError as error:
        return _refuse_whole(name, f"is not to be read ({error})", previous)
    if head.schema_ > RECORDS_SCHEMA:
        return _refuse_whole(name, f"has schema {head.schema_}, known is {RECORDS_SCHEMA}: update the gate", previous)
    problems: list[Problem] = []
    records = _read_all(head.records, name, previous, now, problems)
    approvals, digest_problems = read_digests(name, configmap.data.get(DIGESTS_KEY, ""), now)
    last_run = _read_last_run(head.last_run, name, previous, now, problems)
    ahead: list[str] = []
    notes = read_notes(head.lines, now, ahead, problems, name)
    problems += [Problem(name, NOTES_KEY, f"{each}{_AHEAD}") for each in ahead[:1]]
    return RecordsPart(name, records, approvals, head.generation, last_run, (*problems, *digest_problems), notes)


def _read_head(text: str) -> _Head:
    """Read all but the records' contents.

    What msgspec refuses (half of a surrogate pair in one record, a number in quotes) is read more leniently.

    Raises:
        ValueError: it cannot be read; says why.
    """
    try:
        return _FAST.decode(text)
    except (ValueError, RecursionError):
        return _read_odd_head(text)


def _read_odd_head(text: str) -> _Head:
    try:
        content = json.loads(text)
        records = content.get("records") if isinstance(content, dict) else None
        if isinstance(records, dict):
            content["records"] = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in records.items()}
        return msgspec.convert(content, _Head, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(say_fault(error)) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error


def _refuse_whole(name: str, fault: str, previous: RecordsPart | None) -> RecordsPart:
    problem = Problem(
        name, KEY, f"{fault}; {'the last good one stays in force' if previous else 'nothing of it counts'}"
    )
    empty = RecordsPart(name, {}, {}, 0, None, ())
    return replace(previous or empty, problems=(problem,))


def _read_all(
    raw: Mapping[str, msgspec.Raw],
    name: str,
    previous: RecordsPart | None,
    now: datetime,
    problems: list[Problem],
) -> dict[str, Record]:
    last_good = previous.records if previous else {}
    reported = {problem.place for problem in previous.problems} if previous else set()
    records: dict[str, Record] = {}
    for text, value in raw.items():
        content, place = bytes(value), show(text, SHOWN_VALUE_CHARACTERS)
        fingerprint = hash(content)
        known = last_good.get(text)
        is_known = known is not None and known.fingerprint == fingerprint
        if known and is_known and place not in reported:
            _keep_newest(records, known)
            continue
        ahead: list[str] = []
        try:
            schema = settle(_RECORD.decode(content), now, ahead)
            record = schema.to_record(text, fingerprint, now, ahead)
        except (ValueError, RecursionError) as error:
            reason = say_fault(error) if isinstance(error, msgspec.ValidationError) else str(error)
            kept = _find_last_good(text, last_good)
            problems.append(Problem(name, place, reason + ("; the last good one stays" if kept else "")))
            if kept is None:
                continue
            record = kept
        if ahead:
            problems.append(Problem(name, place, ahead[0] + _AHEAD))
            record = known if known and is_known else record  # as it was first taken: it must not stay fresh for good
        _keep_newest(records, record)
    return records


def _keep_newest(records: dict[str, Record], record: Record) -> None:
    if record.key not in records or records[record.key].updated < record.updated:
        records[record.key] = record


def _find_last_good(text: str, last_good: Mapping[str, Record]) -> Record | None:
    try:
        reference = read_tagged(text)
    except ValueError:
        return None
    return last_good.get(f"{reference.repository}:{reference.tag}")


def _read_last_run(
    value: object, name: str, previous: RecordsPart | None, now: datetime, problems: list[Problem]
) -> datetime | None:
    ahead: list[str] = []
    try:
        read = msgspec.convert(value, Time | None)
        last_run = settle_time(read, now, ahead) if read else None
    except ValueError as error:
        reason = say_fault(error) if isinstance(error, msgspec.ValidationError) else str(error)
        problems.append(Problem(name, "last_run", reason))
        return previous.last_run if previous else None
    problems += [Problem(name, "last_run", f"{each}{_AHEAD}") for each in ahead]
    return last_run
