"""Builds worlds for the tests: whole ConfigMaps, read by the real readers, at a fixed time.

Nothing here decides; a record is the JSON that the patcher writes, with fields that a test does not care for filled in.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from patchgate.configmaps.assemble import assemble
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.configmaps.write_records import OPTIONAL
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image

NOW = datetime(2026, 5, 9, 12, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
NAMES = Names()


def digest(seed: str) -> str:
    """A digest that stands for some content."""
    return f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"


def hours_ago(hours: float) -> str:
    """An RFC 3339 time so many hours before NOW, to the second."""
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def image_list(*lines: str, name: str = NAMES.image_list, **policy: str) -> ConfigMap:
    """The main image list with a policy beside it; under another name, a ConfigMap that is no list without a label."""
    return ConfigMap(name, {}, {"images.txt": "\n".join(lines) + "\n", **policy})


def team_list(*lines: str, name: str = "team-images") -> ConfigMap:
    """A labelled image list."""
    return replace(image_list(*lines, name=name), labels={NAMES.label: "true"})


def record(**fields: object) -> dict[str, object]:
    """A record as its JSON has it; by default one whose scan found something an hour ago."""
    default: dict[str, object] = {
        "state": "pending",
        "source_digest": digest("source"),
        "source_platforms": {"linux/amd64": digest("source-amd64")},
        "earlier_sources": [],
        "approved_reference": None,
        "approved_digest": None,
        "approved_platforms": {},
        "first_seen": hours_ago(48),
        "first_vulnerable": hours_ago(1),
        "patched": None,
        "verified": None,
        "threshold": "CRITICAL",
        "fixable_before": {"CRITICAL": 1},
        "fixable_after": {},
        "scanner": {"name": "trivy", "version": "0.69.3", "database": hours_ago(12)},
        "earlier": [],
        "updated": hours_ago(1),
        "message": "the package mirror does not carry the fix yet",
    }
    unknown = fields.keys() - default.keys() - OPTIONAL
    assert not unknown, f"no such field of a record: {unknown}"
    return default | fields


def patched(reference: str, verified: str | None = None, **fields: object) -> dict[str, object]:
    """A record whose patched image was approved an hour ago."""
    return record(
        **{
            "state": "patched",
            "approved_reference": reference,
            "approved_digest": digest("patched"),
            "approved_platforms": {"linux/amd64": digest("patched-amd64")},
            "patched": hours_ago(2),
            "verified": verified or hours_ago(1),
            **fields,
        }
    )


def clean(reference: str, verified: str | None = None, **fields: object) -> dict[str, object]:
    """A record of an image in which a scan found nothing an hour ago."""
    return record(
        **{
            "state": "clean",
            "approved_reference": reference,
            "approved_digest": digest("source"),
            "approved_platforms": {"linux/amd64": digest("source-amd64")},
            "first_vulnerable": None,
            "verified": verified or hours_ago(1),
            **fields,
        }
    )


def records(
    by_key: dict[str, dict[str, object]] | None = None,
    *,
    name: str = NAMES.records,
    last_run: str | None = hours_ago(1),
    digests: Iterable[str] = (),
    **head: object,
) -> ConfigMap:
    """A ConfigMap of records; the patcher ran an hour ago."""
    content = {"schema": 1, "generation": 1, "last_run": last_run, "records": by_key or {}} | head
    return ConfigMap(name, {}, {"digests.txt": "\n".join(digests), "records.json": json.dumps(content)})


def exceptions(text: str) -> ConfigMap:
    """The ConfigMap of exceptions."""
    return ConfigMap(NAMES.exceptions, {}, {"exceptions.yaml": text})


def snapshot(
    *configmaps: ConfigMap, previous: Snapshot | None = None, deleted: Iterable[str] = (), now: datetime = NOW
) -> Snapshot:
    """The snapshot after these ConfigMaps came or changed."""
    return assemble(configmaps, deleted, previous, NAMES, now)


def verdict(
    image: str,
    world: Snapshot,
    *,
    pull_policy: str | None = "IfNotPresent",
    namespace: str | None = "shop",
    is_controller: bool = False,
    now: datetime = NOW,
) -> Verdict:
    """The verdict on one image."""
    return decide(Image(image, pull_policy), world, Asker(namespace, is_controller), now)
