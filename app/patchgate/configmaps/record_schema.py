"""The schema of a patch record in `records.json` (schema 1), and the value of `policy` that it gives.

What came after the first release is optional: an older gate ignores it, and an older patcher leaves it as it stands.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from patchgate.configmaps.fields import Digest, KnownTime, PastTime, read_tagged
from patchgate.policy.record import Approval, Record, Scanner, SourceClock, State, Unverified

_SHORT_DIGEST: Final = 12
"""Hexadecimal digits: two digests of one record never share them by chance."""


class SchemaModel(BaseModel):
    """Unknown fields are ignored: a newer patcher may write more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ScannerSchema(SchemaModel):
    """Who scanned."""

    name: str
    version: str
    database: KnownTime | None = None

    def to_scanner(self) -> Scanner:
        """Give the value of `policy`."""
        return Scanner(self.name, self.version, self.database)


class ApprovalSchema(SchemaModel):
    """An earlier approval."""

    reference: str
    digest: Digest
    platforms: dict[str, Digest] = {}
    verified: PastTime

    def to_approval(self) -> Approval:
        """Give the value of `policy`; ValueError where the reference is not REPO:TAG."""
        reference = read_tagged(self.reference)
        return Approval(reference.repository, str(reference.tag), self.digest, self.platforms, self.verified)


class SourceClocksSchema(SchemaModel):
    """What is remembered of earlier sources, those of one clock together.

    Attributes:
        sources: how the hexadecimal digits of their digests begin (`shorten_digest`).
    """

    since: PastTime
    patched: PastTime | None = None
    sources: tuple[str, ...]


class UnverifiedSchema(SchemaModel):
    """What an interrupted run goes on from."""

    reference: str
    digest: Digest
    source_digest: Digest
    database: KnownTime | None

    def to_unverified(self) -> Unverified:
        """Give the value of `policy`; ValueError where the reference is not REPO:TAG, or the database has no time."""
        reference = read_tagged(self.reference)
        if self.database is None:
            raise ValueError("its database has no time")
        return Unverified(reference.repository, str(reference.tag), self.digest, self.source_digest, self.database)


class RecordSchema(SchemaModel):
    """One record, as its JSON has it."""

    state: State
    source_digest: Digest | None = None
    source_platforms: dict[str, Digest] = {}
    earlier_sources: tuple[Digest, ...] = ()
    approved_reference: str | None = None
    approved_digest: Digest | None = None
    approved_platforms: dict[str, Digest] = {}
    first_seen: PastTime
    first_vulnerable: PastTime | None = None
    patched: PastTime | None = None
    verified: PastTime | None = None
    threshold: str = ""
    fixable_before: dict[str, NonNegativeInt] = {}
    fixable_after: dict[str, NonNegativeInt] = {}
    scanner: ScannerSchema | None = None
    earlier: tuple[ApprovalSchema, ...] = ()
    updated: PastTime
    message: str = ""
    unverified: UnverifiedSchema | None = None
    first_patched: PastTime | None = None
    vulnerable_platforms: tuple[str, ...] | None = None
    earlier_clocks: tuple[SourceClocksSchema, ...] = ()
    platforms_left_out: NonNegativeInt = 0
    tried: Digest | None = None
    unended: NonNegativeInt = 0

    @field_validator("unverified", mode="wrap")
    @classmethod
    def _leave_out_bad(cls, value: object, read: ValidatorFunctionWrapHandler) -> UnverifiedSchema | None:
        """Leave out what cannot be read: it saves a build, and the gate has no use for it."""
        try:
            schema: UnverifiedSchema | None = read(value)
            if schema:
                schema.to_unverified()
        except ValueError:
            return None
        return schema

    @model_validator(mode="after")
    def _check_approval_is_whole(self) -> Self:
        approved = (self.approved_reference, self.approved_digest)
        if any(approved) and not (all(approved) and self.verified):
            raise ValueError("an approval needs approved_reference, approved_digest and verified")
        return self

    def to_record(self, key: str, fingerprint: int) -> Record:
        """Give the value of `policy`; ValueError where the key or a reference is not REPO:TAG."""
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
            unverified=self.unverified.to_unverified() if self.unverified else None,
            first_patched=self.first_patched,
            vulnerable_platforms=self.vulnerable_platforms,
            earlier_clocks=_find_clocks(self.earlier_sources, self.earlier_clocks),
            platforms_left_out=self.platforms_left_out,
            tried=self.tried,
            unended=self.unended,
            fingerprint=fingerprint,
        )


def shorten_digest(digest: str) -> str:
    """Give enough of a digest to find it again among those of one record."""
    return digest.partition(":")[2][:_SHORT_DIGEST]


def _find_clocks(digests: Iterable[str], clocks: Iterable[SourceClocksSchema]) -> Mapping[str, SourceClock]:
    known = {short: SourceClock(each.since, each.patched) for each in clocks for short in each.sources}
    return {digest: known[shorten_digest(digest)] for digest in digests if shorten_digest(digest) in known}
