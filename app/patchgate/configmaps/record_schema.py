"""The schema of a patch record in `records.json` (schema 1), and the value of `policy` that it gives.

What came after the first release is optional: an older gate ignores it, and an older patcher leaves it as it stands.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, ValidationError, convert, field

from patchgate.configmaps.fields import Digest, SchemaModel, Time, read_tagged, settle
from patchgate.policy.record import Approval, Record, Scanner, SourceClock, State, Unverified

_SHORT_DIGEST: Final = 12
"""Hexadecimal digits: two digests of one record never share them by chance."""


_Count = Annotated[int, Meta(ge=0)]


class ScannerSchema(SchemaModel, frozen=True):
    """Who scanned."""

    FORGETS: ClassVar[frozenset[str]] = frozenset({"database"})

    name: str
    version: str
    database: Time | None = None

    def to_scanner(self) -> Scanner:
        """Give the value of `policy`."""
        return Scanner(self.name, self.version, self.database)


class ApprovalSchema(SchemaModel, frozen=True, kw_only=True):
    """An earlier approval."""

    reference: str
    digest: Digest
    platforms: dict[str, Digest] = field(default_factory=dict)
    verified: Time

    def to_approval(self) -> Approval:
        """Give the value of `policy`; ValueError where the reference is not REPO:TAG."""
        reference = read_tagged(self.reference)
        return Approval(reference.repository, str(reference.tag), self.digest, self.platforms, self.verified)


class SourceClocksSchema(SchemaModel, frozen=True, kw_only=True):
    """What is remembered of earlier sources, those of one clock together.

    Attributes:
        sources: how the hexadecimal digits of their digests begin (`shorten_digest`).
    """

    since: Time
    patched: Time | None = None
    sources: tuple[str, ...]


class UnverifiedSchema(SchemaModel, frozen=True):
    """What an interrupted run goes on from."""

    FORGETS: ClassVar[frozenset[str]] = frozenset({"database"})

    reference: str
    digest: Digest
    source_digest: Digest
    database: Time | None

    def to_unverified(self) -> Unverified:
        """Give the value of `policy`; ValueError where the reference is not REPO:TAG, or the database has no time."""
        reference = read_tagged(self.reference)
        if self.database is None:
            raise ValueError("its database has no time")
        return Unverified(reference.repository, str(reference.tag), self.digest, self.source_digest, self.database)


class RecordSchema(SchemaModel, frozen=True, kw_only=True):
    """One record, as its JSON has it."""

    state: State
    source_digest: Digest | None = None
    source_platforms: dict[str, Digest] = field(default_factory=dict)
    earlier_sources: tuple[Digest, ...] = ()
    approved_reference: str | None = None
    approved_digest: Digest | None = None
    approved_platforms: dict[str, Digest] = field(default_factory=dict)
    first_seen: Time
    first_vulnerable: Time | None = None
    patched: Time | None = None
    verified: Time | None = None
    threshold: str = ""
    fixable_before: dict[str, _Count] = field(default_factory=dict)
    fixable_after: dict[str, _Count] = field(default_factory=dict)
    scanner: ScannerSchema | None = None
    earlier: tuple[ApprovalSchema, ...] = ()
    updated: Time
    message: str = ""
    unverified: Any = None
    first_patched: Time | None = None
    vulnerable_platforms: tuple[str, ...] | None = None
    earlier_clocks: tuple[SourceClocksSchema, ...] = ()
    platforms_left_out: _Count = 0
    tried: Digest | None = None
    unended: _Count = 0

    def to_record(self, key: str, fingerprint: int, now: datetime, ahead: list[str]) -> Record:
        """Give the value of `policy`; ValueError if the key or a reference is not REPO:TAG, or an approval not whole.

        now, ahead: as `settle` has them.
        """
        approved_fields = (self.approved_reference, self.approved_digest)
        if any(approved_fields) and not (all(approved_fields) and self.verified):
            raise ValueError("an approval needs approved_reference, approved_digest and verified")
        source = read_tagged(key)
        approved = None
        if self.approved_reference and self.approved_digest and self.verified:
            reference = read_tagged(self.approved_reference)
            approved = Approval(
                reference.repository, str(reference.tag), self.approved_digest, self.approved_platforms, self.verified
            )
        return Record(
            repository=source.repository,
            tag=str(source.tag),
            state=self.state,
            source_digest=self.source_digest,
            source_platforms=self.source_platforms,
            earlier_sources=self.earlier_sources,
            approved=approved,
            earlier=tuple(approval.to_approval() for approval in self.earlier),
            first_seen=self.first_seen,
            first_vulnerable=self.first_vulnerable,
            patched=self.patched,
            verified=self.verified,
            threshold=self.threshold,
            fixable_before=self.fixable_before,
            fixable_after=self.fixable_after,
            scanner=self.scanner.to_scanner() if self.scanner else None,
            updated=self.updated,
            message=self.message,
            unverified=_read_unverified(self.unverified, now, ahead),
            first_patched=self.first_patched,
            vulnerable_platforms=self.vulnerable_platforms,
            earlier_clocks=_find_clocks(self.earlier_sources, self.earlier_clocks),
            platforms_left_out=self.platforms_left_out,
            tried=self.tried,
            unended=self.unended,
            fingerprint=fingerprint,
        )


def _read_unverified(value: object, now: datetime, ahead: list[str]) -> Unverified | None:
    """Read what an interrupted run goes on from; leave out what cannot be read: the gate has no use for it."""
    try:
        return settle(convert(value, UnverifiedSchema), now, ahead).to_unverified() if value else None
    except (ValidationError, ValueError):
        return None


def shorten_digest(digest: str) -> str:
    """Give enough of a digest to find it again among those of one record."""
    return digest.partition(":")[2][:_SHORT_DIGEST]


def _find_clocks(digests: Iterable[str], clocks: Iterable[SourceClocksSchema]) -> Mapping[str, SourceClock]:
    known = {short: SourceClock(each.since, each.patched) for each in clocks for short in each.sources}
    return {digest: known[shorten_digest(digest)] for digest in digests if shorten_digest(digest) in known}
