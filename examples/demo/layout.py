"""Lays the demo's files around a moment: `${now-26h}` becomes an RFC 3339 time, `${now-26h:date}` a YYYYMMDD."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

_TOKEN = re.compile(r"\$\{now(?P<hours>[+-]\d+)(?P<unit>[hd])(?P<date>:date)?\}")
_HOURS = {"h": 1, "d": 24}


def lay_out(source: Path, target: Path, now: datetime) -> None:
    """Copy every file of `source` to `target` with its times filled in. now: aware UTC."""
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        (target / file.name).write_text(fill_in(file.read_text(encoding="utf-8"), now), encoding="utf-8")


def fill_in(text: str, now: datetime) -> str:
    """Fill in the times of a text."""

    def say(match: re.Match[str]) -> str:
        time = now.astimezone(UTC) + timedelta(hours=int(match["hours"]) * _HOURS[match["unit"]])
        return f"{time:%Y%m%d}" if match["date"] else f"{time:%Y-%m-%dT%H:%M:%SZ}"

    return _TOKEN.sub(say, text)
