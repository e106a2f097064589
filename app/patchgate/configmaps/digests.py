"""`digests.txt` of `copa-patched-digests`: the article's lines, one an approval.

`REPO@sha256:…  # patched from IMAGE on YYYYMMDD` or `REPO@sha256:…  # clean IMAGE on YYYYMMDD`. A line stands for a
record that holds this approval alone, and counts only while no ConfigMap has a record of IMAGE (the snapshot's part).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from patchgate.configmaps.fields import read_tagged
from patchgate.errors import InvalidReferenceError
from patchgate.limits import CLOCK_SKEW_SECONDS, SHOWN_VALUE_CHARACTERS
from patchgate.policy.lines import Line, read_lines
from patchgate.policy.part import Problem
from patchgate.policy.record import Approval, Record, State
from patchgate.policy.reference import Reference
from patchgate.policy.verdict import show

_LINE: Final = re.compile(
    r"(?P<reference>\S+)\s+#\s*(?P<what>patched from|clean)\s+(?P<image>\S+)\s+on\s+(?P<date>[0-9]{8})"
)
_PATCHED_ON: Final = re.compile(r"-patched-([0-9]{8})(?:\.[0-9]{2})?$")
_LAST_SECOND: Final = timedelta(hours=23, minutes=59, seconds=59)


def read_digests(configmap: str, text: str, now: datetime) -> tuple[Mapping[str, Record], list[Problem]]:
    """Read the lines; of several for one image the newest is its approval, the others are earlier ones.

    A line was verified at the end of its day. While that is still to come its age is nothing, so it was verified now.

    now: aware UTC; a line of a later day is refused.
    """
    by_image: dict[str, list[Record]] = {}
    problems = []
    for line in read_lines(text):
        if not line.fault and (not line.text or line.text.startswith("#")):
            continue
        try:
            record = _read_line(line, now)
        except ValueError as error:
            reason = f"{show(line.text, SHOWN_VALUE_CHARACTERS)!r}: {error}"
            problems.append(Problem(configmap, f"digests.txt line {line.number}", reason))
        else:
            by_image.setdefault(record.key, []).append(record)
    return {key: _join(records) for key, records in by_image.items()}, problems


def write_digests(records: Iterable[Record]) -> str:
    """Write a line an approval of the records."""
    return "".join(f"{line}\n" for record in records for line in _write_lines(record))


def find_image(line: str) -> str:
    """Find the IMAGE that a line tells of; empty where it is no such line."""
    match = _LINE.fullmatch(line.strip())
    return match["image"] if match else ""


def _read_line(line: Line, now: datetime) -> Record:
    if line.fault:
        raise ValueError(line.fault)
    match = _LINE.fullmatch(line.text)
    if match is None:
        raise ValueError("write REPO@sha256:… # patched from IMAGE on YYYYMMDD")
    try:
        approved = Reference.parse_bare(match["reference"])
    except InvalidReferenceError as error:
        raise ValueError(str(error)) from error
    if approved.digest is None or approved.tag:
        raise ValueError("an approval is REPO@sha256:…")
    source = read_tagged(match["image"])
    day = datetime.strptime(match["date"], "%Y%m%d").replace(tzinfo=UTC)
    if day - now > timedelta(seconds=CLOCK_SKEW_SECONDS):
        raise ValueError(f"{match['date']} is still to come")
    is_clean = match["what"] == "clean"
    tag = str(source.tag) if is_clean else f"{source.tag}-patched-{match['date']}"
    approval = Approval(approved.repository, tag, approved.digest, {}, day + _LAST_SECOND)
    return _make_record(source, approval, day, is_clean=is_clean)


def _make_record(source: Reference, approval: Approval, day: datetime, *, is_clean: bool) -> Record:
    return Record(
        repository=source.repository,
        tag=str(source.tag),
        state=State.CLEAN if is_clean else State.PATCHED,
        source_digest=approval.digest if is_clean else None,
        source_platforms={},
        earlier_sources=(),
        approved=approval,
        earlier=(),
        first_seen=day,
        first_vulnerable=None if is_clean else day,
        patched=None if is_clean else day,
        verified=approval.verified,
        threshold="",
        fixable_before={},
        fixable_after={},
        scanner=None,
        updated=approval.verified,
        message="approved by a line of digests.txt; no record yet",
    )


def _join(records: list[Record]) -> Record:
    newest, *others = sorted(records, key=lambda record: record.updated)[::-1]  # of one day, the last line
    earlier = tuple(approval for record in others for approval in record.approvals)
    return replace(newest, earlier=earlier)


def _write_lines(record: Record) -> Iterator[str]:
    for approval in record.approvals:
        is_clean = approval.tagged == record.key
        made = _PATCHED_ON.search(approval.tag)
        day = made[1] if made and not is_clean else f"{approval.verified:%Y%m%d}"
        what = "clean" if is_clean else "patched from"
        yield f"{approval.repository}@{approval.digest}  # {what} {record.key} on {day}"
