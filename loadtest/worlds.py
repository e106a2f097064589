"""Worlds of any size: lists and records as ConfigMaps below 1 MiB, one image in every common state."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from patchgate.configmaps.configmap import ConfigMap, Names

NOW: Final = datetime(2026, 5, 9, 12, tzinfo=UTC)
RECORDS_PER_CONFIGMAP: Final = 620
LINES_PER_CONFIGMAP: Final = 12_500


def list_configmaps(images: int) -> list[ConfigMap]:
    """Give the ConfigMaps of a world of so many images: the main list, labelled lists, and records."""
    numbers = range(images)
    names = Names()
    lists = [
        ConfigMap(
            names.image_list if part == 0 else f"list-{part}",
            {names.label: "true"} if part else {},
            {"images.txt": "".join(f"{name_image(number)}\n" for number in chunk)},
        )
        for part, chunk in enumerate(_split(numbers, LINES_PER_CONFIGMAP))
    ]
    return [*lists, *(make_records(part, chunk) for part, chunk in enumerate(_split(numbers, RECORDS_PER_CONFIGMAP)))]


def make_records(part: int, numbers: Sequence[int], generation: int = 1) -> ConfigMap:
    """Make one ConfigMap of records."""
    name = Names().records + (f"-{part}" if part else "")
    records = {name_image(number): _make_record(number) for number in numbers}
    head = {"schema": 1, "generation": generation, "last_run": "2026-05-09T11:00:00Z", "records": records}
    return ConfigMap(name, {}, {"digests.txt": "", "records.json": json.dumps(head)})


def name_image(number: int) -> str:
    """Name an image: ten tags a repository."""
    return f"registry.example.com/team-{number // 1000}/app-{number // 10}:1.{number % 10}"


def _make_record(number: int) -> dict[str, object]:
    image = name_image(number)
    is_patched = number % 2 == 0
    return {
        "state": "patched" if is_patched else "pending",
        "source_digest": _digest(image),
        "source_platforms": {"linux/amd64": _digest(f"{image} amd64")},
        "earlier_sources": [],
        "approved_reference": f"{image}-patched-20260509" if is_patched else None,
        "approved_digest": _digest(f"{image} patched") if is_patched else None,
        "approved_platforms": {"linux/amd64": _digest(f"{image} patched amd64")} if is_patched else {},
        "first_seen": "2026-04-02T00:03:11Z",
        "first_vulnerable": "2026-05-09T00:03:11Z",
        "patched": "2026-05-09T06:04:52Z" if is_patched else None,
        "verified": "2026-05-09T06:05:20Z" if is_patched else None,
        "threshold": "CRITICAL",
        "fixable_before": {"CRITICAL": 2, "HIGH": 5},
        "fixable_after": {},
        "scanner": {"name": "trivy", "version": "0.69.3", "database": "2026-05-09T00:11:00Z"},
        "earlier": [],
        "updated": "2026-05-09T06:05:21Z",
        "message": "2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2",
    }


def _digest(seed: str) -> str:
    return f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"


def _split(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
