"""The inventory: what workloads use, image by image, with the verdict now and whether a list names it.

Pure: who lists the workloads is told nothing of verdicts. Decides nothing new.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from patchgate.policy.case import Asker, Case, open_case
from patchgate.policy.decision import decide
from patchgate.policy.pattern import is_made_by_the_patcher
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image, is_placeholder


@dataclass(frozen=True, slots=True)
class Use:
    """An image, and who uses it.

    Attributes:
        workload: for people, `Kind NAMESPACE/NAME`.
        namespace: where it runs.
        image: as the workload names it.
    """

    workload: str
    namespace: str
    image: Image


@dataclass(frozen=True, slots=True)
class RunningImage:
    """An image that is used.

    Attributes:
        image: under its canonical name, so that every spelling is one; as written where it does not parse.
        repository: its repository; empty where it does not parse.
        verdict: what would be decided now; of several namespaces and pull policies the strictest.
        is_listed: whether a list line, a record or an approval knows it.
        line: what to add to a list to have it kept patched; None where it is listed, or there is no tag to list.
        workloads: who uses it, each once, in order.
    """

    image: str
    repository: str
    verdict: Verdict
    is_listed: bool
    line: str | None
    workloads: tuple[str, ...]


@dataclass(slots=True)
class _Entry:
    case: Case
    verdict: Verdict
    workloads: set[str] = field(default_factory=set)


def take_inventory(uses: Iterable[Use], snapshot: Snapshot, now: datetime) -> list[RunningImage]:
    """Join the uses by image, ordered by repository. now: aware UTC."""
    entries: dict[str, _Entry] = {}
    asked: dict[tuple[Image, str], _Entry] = {}
    for use in uses:
        entry = asked.get((use.image, use.namespace))
        if entry is None:
            entry = asked[use.image, use.namespace] = _enter(use, entries, snapshot, now)
        entry.workloads.add(use.workload)
    images = (_describe(name, entry) for name, entry in entries.items())
    return sorted(images, key=lambda image: (image.repository, image.image))


def _enter(use: Use, entries: dict[str, _Entry], snapshot: Snapshot, now: datetime) -> _Entry:
    """Give the entry of an image, its verdict that of the strictest question so far."""
    asker = Asker(use.namespace)
    case, verdict = open_case(use.image, snapshot, asker, now), decide(use.image, snapshot, asker, now)
    name = str(case.reference) if case.reference else verdict.image
    entry = entries.setdefault(name, _Entry(case, verdict))
    if _order(verdict) > _order(entry.verdict):
        entry.verdict = verdict
    return entry


def _order(verdict: Verdict) -> tuple[bool, bool]:
    return (not verdict.allowed, verdict.warns)


def _describe(name: str, entry: _Entry) -> RunningImage:
    reference = entry.case.reference
    is_listed = _is_listed(entry.case)
    is_real = not is_placeholder(entry.case.image.text)
    can_be_listed = bool(is_real and reference and reference.tag and not is_made_by_the_patcher(reference.tag))
    return RunningImage(
        image=name,
        repository=reference.repository if reference else "",
        verdict=entry.verdict,
        is_listed=is_listed,
        line=f"{reference.repository}:{reference.tag}" if reference and can_be_listed and not is_listed else None,
        workloads=tuple(sorted(entry.workloads)),
    )


def _is_listed(case: Case) -> bool:
    if case.line or case.record or case.approval:
        return True
    tag = case.reference.tag if case.reference else None
    return bool(case.repository and tag and case.repository.find_line(tag))
