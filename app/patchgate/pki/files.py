"""Writes certificates and keys as files: whole or not at all, a key for its owner alone."""

import os
from pathlib import Path


def write_certificate(file: Path, pem: bytes) -> None:
    """Write what everybody may read."""
    _write(file, pem, mode=0o644)


def write_key(file: Path, pem: bytes) -> None:
    """Write what its owner alone may read."""
    _write(file, pem, mode=0o600)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write the file whole or not at all, never readable by more than its mode says."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)  # one that was left keeps its mode
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    part.replace(file)
