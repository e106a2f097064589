"""Worlds of any size: lists and records as ConfigMaps below 1 MiB, one image in every common state."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from patchgate.configmaps.configmap import ConfigMap, Names

NOW: Final = datetime(2026, 5, 9, 12, tzinfo=UTC)
RECORDS_PER_CONFIGMAP: Final = 620
LINES_PER_CONFIGMAP: Final = 12_500


def list_configmaps(images: int, now: datetime = NOW) -> list[ConfigMap]:
    """Give the ConfigMaps of a world of so many images at that time: the main list, labelled lists, and records."""
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
    chunks = enumerate(_split(numbers, RECORDS_PER_CONFIGMAP))
    return [*lists, *(make_records(part, chunk, now=now) for part, chunk in chunks)]


def make_records(part: int, numbers: Sequence[int], generation: int = 1, now: datetime = NOW) -> ConfigMap:
    """Make one ConfigMap of records, as the patcher left it within the day before that time."""
    name = Names().records + (f"-{part}" if part else "")
    records = {name_image(number): _make_record(number, now) for number in numbers}
    head = {"schema": 1, "generation": generation, "last_run": _say(now - timedelta(hours=1)), "records": records}
    return ConfigMap(name, {}, {"digests.txt": "", "records.json": json.dumps(head)})


def name_image(number: int) -> str:
    """Name an image: ten tags a repository."""
    return f"registry.example.com/team-{number // 1000}/app-{number // 10}:1.{number % 10}"


def name_approved(number: int) -> str:
    """Name the patched image that is approved in the stead of an even-numbered one."""
    return f"{name_image(number)}-patched-20260509"


def pin_approved(number: int) -> str:
    """Name that patched image by its tag and the digest that is approved."""
    return f"{name_approved(number)}@{_digest_patched(number)}"


def _make_record(number: int, now: datetime) -> dict[str, object]:
    image = name_image(number)
    is_patched = number % 2 == 0
    verified = _say(now - timedelta(hours=5))
    return {
        "state": "patched" if is_patched else "pending",
        "source_digest": _digest(image),
        "source_platforms": {"linux/amd64": _digest(f"{image} amd64")},
        "earlier_sources": [],
        "approved_reference": name_approved(number) if is_patched else None,
        "approved_digest": _digest_patched(number) if is_patched else None,
        "approved_platforms": {"linux/amd64": _digest(f"{image} patched amd64")} if is_patched else {},
        "first_seen": _say(now - timedelta(days=37)),
        "first_vulnerable": _say(now - timedelta(hours=12)),
        "patched": _say(now - timedelta(hours=6)) if is_patched else None,
        "verified": verified if is_patched else None,
        "threshold": "CRITICAL",
        "fixable_before": {"CRITICAL": 2, "HIGH": 5},
        "fixable_after": {},
        "scanner": {"name": "trivy", "version": "0.69.3", "database": _say(now - timedelta(hours=12))},
        "earlier": [],
        "updated": verified,
        "message": "2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2",
    }


def _digest_patched(number: int) -> str:
    return _digest(f"{name_image(number)} patched")


def _say(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _digest(seed: str) -> str:
    return f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"


def _split(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
