"""Options that several commands take, each with its environment variable, and what they are read into."""

import contextlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.configmap import Names
from patchgate.errors import SourceError
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.directory import DirectorySource

Source = Annotated[
    Path,
    typer.Option("--source", envvar="PATCHGATE_SOURCE", metavar="DIR", help="Directory of ConfigMaps as YAML files."),
]


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Format, typer.Option("--output", "-o", envvar="PATCHGATE_OUTPUT", help="For people, or for machines.")
]


_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parse_now(text: str) -> datetime:
    if _RFC_3339.fullmatch(text):
        with contextlib.suppress(ValueError, OverflowError):  # 2026-02-30, or outside the calendar in UTC
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    raise typer.BadParameter("write RFC 3339, such as 2026-05-09T12:00:00Z")


Now = Annotated[
    datetime | None,
    typer.Option(
        "--now",
        envvar="PATCHGATE_NOW",
        metavar="RFC3339",
        parser=_parse_now,
        help="Decide as of this time. [default: now]",
    ),
]


def load_snapshot(directory: Path, now: datetime) -> tuple[Snapshot, list[Problem]]:
    """Load the snapshot of a directory, and all that does not count in it.

    Raises:
        SourceError: the directory cannot be read, or holds no main image list.
    """
    assembly = Assembly(None, Names(), now)
    reading = DirectorySource(directory).read(assembly.take)
    snapshot = assembly.build()
    problems = [*reading.problems, *snapshot.list_problems(now)]
    if not snapshot.is_complete:
        found = f" ({problems[0]})" if problems else ""
        raise SourceError(f"--source {directory}: no ConfigMap {Names().image_list}, so nothing can be decided{found}")
    return snapshot, problems
