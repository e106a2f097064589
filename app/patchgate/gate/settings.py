"""The gate's settings: read once, typed, and passed down."""

from dataclasses import dataclass
from pathlib import Path

from patchgate.policy.decision import Scope


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key in files that somebody else keeps."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A directory that keeps a CA and leaf of our own."""

    directory: Path


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What `patchgate serve` is told.

    Attributes:
        source: directory of ConfigMaps.
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        tls: where certificate and key come from.
        scope: for whom a denial counts.
    """

    source: Path
    host: str
    port: int
    tls: TlsFiles | SelfSigned
    scope: Scope = Scope.ALL
