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
class SourceClock:
    """What is remembered of a source that the tag had before.

    Attributes:
        since: when its SLA clock started; aware UTC.
        patched: when its first patch was approved: its rollout grace runs from there. None where it had none.
    """

    since: datetime
    patched: datetime | None = None


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
        first_patched: when the first patch of the present source was approved; None where it had none. The rollout
            grace runs from there: a later patch of the same source opens it for nobody again.
        verified: when a scan last looked at the approved image.
        threshold: the severity threshold that it was verified against.
        fixable_before: severity → fixable findings of the source.
        fixable_after: severity → fixable findings of the approved image.
        scanner: who found that; None before the first scan.
        updated: when the record was written.
        message: one line for people.
        unverified: what the patcher has pushed for it and not verified yet; no decision looks at it.
        vulnerable_platforms: those of the source in which findings count; None in a record that does not say, where all
            are.
        earlier_clocks: what is remembered of earlier sources, by digest; none of those that an older patcher recorded.
        platforms_left_out: how many platforms the source has beside `source_platforms`.
        tried: the digest that the last attempt could not look at; None where it looked at the source.
        unended: attempts that were begun since the last one that ended: the patcher died of them, or one goes on.
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
    first_patched: datetime | None = None
    vulnerable_platforms: tuple[str, ...] | None = None
    earlier_clocks: Mapping[str, SourceClock] = field(default_factory=dict)
    platforms_left_out: int = 0
    tried: str | None = None
    unended: int = 0
    fingerprint: int = field(default=0, compare=False)

    @property
    def key(self) -> str:
        """`REPO:TAG`, normalised."""
        return f"{self.repository}:{self.tag}"

    @property
    def explanation(self) -> str:
        """The message, and that attempts were begun and did not end."""
        if not self.unended:
            return self.message
        times = "the last attempt at it was" if self.unended == 1 else f"the last {self.unended} attempts at it were"
        said = f"{times} cut short unless one goes on now: it goes last, give the patcher more memory"
        return f"{self.message}; {said}" if self.message else said

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
        if self.tried:
            yield self.tried

    @property
    def vulnerable_sources(self) -> Iterator[str]:
        """The sources found vulnerable: these are never an approval, whatever another record says.

        Of an index's platforms only those in which findings count: another image may be made of the others. In a record
        that does not say which, a platform's manifest that needed nothing is taken over into the patched index with
        its digest: it was verified there and is not among them.
        """
        yield from self.earlier_sources
        if self.first_vulnerable is None:
            return
        if self.source_digest:
            yield self.source_digest
        taken_over = self.approved if self.approved and self.approved.digest != self.source_digest else None
        verified = set(taken_over.platforms.values()) if taken_over and self.vulnerable_platforms is None else set()
        for platform, digest in self.source_platforms.items():
            is_vulnerable = self.vulnerable_platforms is None or platform in self.vulnerable_platforms
            if is_vulnerable and digest not in verified:
                yield digest

    def clock_of(self, digest: str | None) -> SourceClock:
        """Give the clock of one of the sources; of the present one where no digest is named.

        A clean record whose approval another tag's scan has overruled: it runs since it was last found clean.
        """
        if digest in self.earlier_sources and digest in self.earlier_clocks:
            return self.earlier_clocks[digest]
        since = self.first_vulnerable or (self.approved.verified if self.approved else self.first_seen)
        return SourceClock(since, self.first_patched or self.patched)

    def had_patch(self, digest: str | None) -> bool:
        """Tell whether one of the sources (the present one where no digest is named) ever had an approved patch."""
        if digest in self.earlier_sources:
            return self.clock_of(digest).patched is not None
        return self.first_patched is not None

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
