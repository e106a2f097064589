"""What the patcher knows of an image: its approvals, its sources and its clock."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where an image stands, for people; the other fields of the record decide, but for `unpatchable`."""

    PATCHED = "patched"
    CLEAN = "clean"
    PENDING = "pending"
    FAILED = "failed"
    UNPATCHABLE = "unpatchable"


@dataclass(frozen=True, slots=True)
class Approval:
    """A digest that passed verification, and the tag it was given.

    Attributes:
        repository: normalised; the approval holds here only.
        tag: the approved tag.
        digest: of the index or the single manifest.
        platforms: platform → digest of its manifest.
        verified: when a scan last found nothing at the threshold, aware UTC.
    """

    repository: str
    tag: str
    digest: str
    platforms: Mapping[str, str]
    verified: datetime

    def is_fresh(self, now: datetime, stale_after: timedelta) -> bool:
        """Tell whether it was verified at most `stale_after` ago."""
        return now - self.verified <= stale_after

    @property
    def digests(self) -> frozenset[str]:
        """Every digest that names the approved content."""
        return frozenset((self.digest, *self.platforms.values()))

    @property
    def tagged(self) -> str:
        """`REPO:TAG`."""
        return f"{self.repository}:{self.tag}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Scanner:
    """Who scanned, and with which database."""

    name: str
    version: str
    database: datetime | None


@dataclass(frozen=True, slots=True)
class Unverified:
    """A patched image that was pushed and is no approval yet: a run that was interrupted goes on from it.

    Attributes:
        repository: where it was pushed, normalised.
        tag: its own, `TAG-candidate-YYYYMMDD[.NN]`.
        digest: of the index or the single manifest.
        source_digest: what was patched.
        database: when the scanner's database was made, by whose findings.
    """

    repository: str
    tag: str
    digest: str
    source_digest: str
    database: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One patch record. All times are aware UTC.

    Attributes:
        repository: normalised source repository.
        tag: source tag; with the repository it is the record's key.
        state: for people (but `Unpatchable` rests on it).
        source_digest: what the tag resolved to; None before the first success.
        source_platforms: platform → digest of the source's manifests.
        earlier_sources: digests that the tag had before, once found vulnerable.
        approved: the approval in force, or None.
        earlier: approvals before it.
        first_seen: the first attempt.
        first_vulnerable: since when findings count; None when clean.
        patched: when the approved image was made; None where none was needed.
        verified: when a scan last looked at the approved image.
        threshold: the severity threshold that it was verified against.
        fixable_before: severity → fixable findings of the source.
        fixable_after: severity → fixable findings of the approved image.
        scanner: who found that; None before the first scan.
        updated: when the record was written.
        message: one line for people.
        unverified: what the patcher has pushed for it and not verified yet; no decision looks at it.
        fingerprint: of the text that it was read from, in this process; 0 where there was none.
    """

    repository: str
    tag: str
    state: State
    source_digest: str | None
    source_platforms: Mapping[str, str]
    earlier_sources: tuple[str, ...]
    approved: Approval | None
    earlier: tuple[Approval, ...]
    first_seen: datetime
    first_vulnerable: datetime | None
    patched: datetime | None
    verified: datetime | None
    threshold: str
    fixable_before: Mapping[str, int]
    fixable_after: Mapping[str, int]
    scanner: Scanner | None
    updated: datetime
    message: str
    unverified: Unverified | None = None
    fingerprint: int = field(default=0, compare=False)

    @property
    def key(self) -> str:
        """`REPO:TAG`, normalised."""
        return f"{self.repository}:{self.tag}"

    @property
    def approvals(self) -> Iterator[Approval]:
        """The approval in force and the earlier ones."""
        if self.approved:
            yield self.approved
        yield from self.earlier

    @property
    def sources(self) -> Iterator[str]:
        """Every digest that names this image unpatched."""
        if self.source_digest:
            yield self.source_digest
        yield from self.source_platforms.values()
        yield from self.earlier_sources

    @property
    def vulnerable_sources(self) -> Iterator[str]:
        """The sources found vulnerable: these are never an approval, whatever another record says.

        A platform's manifest that needed nothing is taken over into the patched index with its digest: it was
        verified there and is not among them. (Where the tag now points at the approved image itself, it is.)
        """
        yield from self.earlier_sources
        if self.first_vulnerable is None:
            return
        taken_over = self.approved if self.approved and self.approved.digest != self.source_digest else None
        if self.source_digest:
            yield self.source_digest
        for digest in self.source_platforms.values():
            if not taken_over or digest not in taken_over.platforms.values():
                yield digest

    def vulnerable_since(self) -> datetime:
        """Say when the SLA clock started.

        A clean record whose approval another tag's scan has overruled: when it was last found clean.
        """
        return self.first_vulnerable or (self.approved.verified if self.approved else self.first_seen)

    def rename(self, canonical: Callable[[str], str]) -> "Record":
        """Give the record with each repository under its canonical name (mirrors)."""

        def renamed(approval: Approval) -> Approval:
            return replace(approval, repository=canonical(approval.repository))

        return replace(
            self,
            repository=canonical(self.repository),
            approved=self.approved and renamed(self.approved),
            earlier=tuple(map(renamed, self.earlier)),
        )
