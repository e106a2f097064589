"""Writes the data of a ConfigMap of records: `records.json`, and `digests.txt` in step with it."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from patchgate.configmaps.digests import write_digests
from patchgate.configmaps.fields import say_time
from patchgate.configmaps.line_notes import write_notes
from patchgate.configmaps.record_schema import shorten_digest
from patchgate.configmaps.records import DIGESTS_KEY, KEY
from patchgate.limits import RECORDS_SCHEMA
from patchgate.policy.part import RecordsPart
from patchgate.policy.record import Approval, Record, SourceClock, Unverified

OPTIONAL: Final = frozenset(
    {"unverified", "first_patched", "vulnerable_platforms", "earlier_clocks", "platforms_left_out", "tried", "unended"}
)
"""Fields of a record that are left out where they say nothing: they came after the first release."""


def write_records(part: RecordsPart) -> dict[str, str]:
    """Write the data of a ConfigMap of records; `digests.txt` is in step with the records."""
    records = {key: write_record(record) for key, record in sorted(part.records.items())}
    head: dict[str, object] = {
        "schema": RECORDS_SCHEMA,
        "generation": part.generation,
        "last_run": say_time(part.last_run),
    }
    lone = [record for key, record in part.approvals.items() if key not in part.records]
    head |= write_notes(part.notes)
    digests = write_digests([*(record for _, record in sorted(part.records.items())), *lone])
    return {DIGESTS_KEY: digests, KEY: json.dumps(head | {"records": records}, indent=2) + "\n"}


def _write_approvals(approvals: Iterable[Approval]) -> list[dict[str, object]]:
    return [
        {
            "reference": approval.tagged,
            "digest": approval.digest,
            "platforms": dict(approval.platforms),
            "verified": say_time(approval.verified),
        }
        for approval in approvals
    ]


def _write_unverified(unverified: Unverified) -> dict[str, object]:
    return {
        "reference": f"{unverified.repository}:{unverified.tag}",
        "digest": unverified.digest,
        "source_digest": unverified.source_digest,
        "database": say_time(unverified.database),
    }


def write_record(record: Record) -> dict[str, object]:
    """Write a record field for field, in the order of the contract; of the optional fields those that say something."""
    approved, scanner = record.approved, record.scanner
    fields: dict[str, object] = {
        "state": record.state.value,
        "source_digest": record.source_digest,
        "source_platforms": dict(record.source_platforms),
        "earlier_sources": list(record.earlier_sources),
        "approved_reference": approved.tagged if approved else None,
        "approved_digest": approved.digest if approved else None,
        "approved_platforms": dict(approved.platforms) if approved else {},
        "first_seen": say_time(record.first_seen),
        "first_vulnerable": say_time(record.first_vulnerable),
        "patched": say_time(record.patched),
        "verified": say_time(record.verified),
        "threshold": record.threshold,
        "fixable_before": dict(record.fixable_before),
        "fixable_after": dict(record.fixable_after),
        "scanner": scanner
        and {"name": scanner.name, "version": scanner.version, "database": say_time(scanner.database)},
        "earlier": _write_approvals(record.earlier),
        "updated": say_time(record.updated),
        "message": record.message,
    }
    optional: dict[str, object] = {
        "unverified": record.unverified and _write_unverified(record.unverified),
        "first_patched": say_time(record.first_patched),
        "vulnerable_platforms": None if record.vulnerable_platforms is None else list(record.vulnerable_platforms),
        "earlier_clocks": _write_clocks(record.earlier_clocks) or None,
        "platforms_left_out": record.platforms_left_out or None,
        "tried": record.tried,
        "unended": record.unended or None,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}


def _write_clocks(clocks: Mapping[str, SourceClock]) -> list[dict[str, object]]:
    """Write the digests of one clock together."""
    digests: dict[SourceClock, list[str]] = {}
    for digest, clock in clocks.items():
        digests.setdefault(clock, []).append(shorten_digest(digest))
    return [
        {"since": say_time(clock.since), "patched": say_time(clock.patched), "sources": sources}
        for clock, sources in digests.items()
    ]
