"""Probes: `/livez` says that the event loop turns, `/readyz` that reviews are decided; `?verbose` says by what."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.part import ExceptionsPart, ImageListPart, Part, Problem, RecordsPart
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import say_duration, show


def describe(snapshot: Snapshot | None, source_problems: Iterable[Problem], now: datetime) -> Iterator[str]:
    """Describe what decisions rest on, a line each: parts, ages, and what of the data does not count."""
    if snapshot is not None:
        for part in snapshot.parts.values():
            yield f"{part.name}: {_describe_part(part, now)}"
    problems = [*source_problems, *(snapshot.list_problems(now) if snapshot else ())]
    yield f"problems: {len(problems)}"
    yield from (f"problem: {show(str(problem), SHOWN_LINE_CHARACTERS)}" for problem in problems)


def _describe_part(part: Part, now: datetime) -> str:
    match part:
        case ImageListPart():
            lines = sum(map(len, part.lines.values()))
            return f"{lines} lines, {len(part.lines)} repositories{', with the policy' if part.policy else ''}"
        case RecordsPart():
            age = f"last run {say_duration(now - part.last_run)} ago" if part.last_run else "no run yet"
            return f"{len(part.records)} records, generation {part.generation}, {age}"
        case ExceptionsPart():
            return f"{len(part.exceptions)} exceptions"
