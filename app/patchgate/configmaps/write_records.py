"""Writes the data of a ConfigMap of records: `records.json`, and `digests.txt` in step with it."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from patchgate.configmaps.digests import write_digests
from patchgate.configmaps.records import DIGESTS_KEY, KEY
from patchgate.limits import RECORDS_SCHEMA
from patchgate.policy import verdict
from patchgate.policy.part import RecordsPart
from patchgate.policy.record import Approval, Record, Unverified

UNVERIFIED: Final = "unverified"


def write_records(part: RecordsPart) -> dict[str, str]:
    """Write the data of a ConfigMap of records; `digests.txt` is in step with the records."""
    records = {key: write_record(record) for key, record in sorted(part.records.items())}
    head = {"schema": RECORDS_SCHEMA, "generation": part.generation, "last_run": say_time(part.last_run)}
    lone = [record for key, record in part.approvals.items() if key not in part.records]
    digests = write_digests([*(record for _, record in sorted(part.records.items())), *lone])
    return {DIGESTS_KEY: digests, KEY: json.dumps(head | {"records": records}, indent=2) + "\n"}


def say_time(time: datetime | None) -> str | None:
    """Say a UTC time as records have it; None stays so."""
    return verdict.say_time(time) if time else None


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
    """Write a record field for field, in the order of the contract; `unverified` where there is one alone."""
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
    return fields | ({UNVERIFIED: _write_unverified(record.unverified)} if record.unverified else {})
