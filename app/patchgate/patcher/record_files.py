"""The ConfigMaps of records in a directory of YAML files: found wherever they stand, written in place.

A file is replaced whole or not at all. Whoever uses this holds the directory's lock; a file is parsed again only when
its content changed.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.configmaps.documents import decode_text, load_documents, read_configmap, unfold
from patchgate.configmaps.edit_document import edit_document, make_document
from patchgate.configmaps.policy_keys import read_policy
from patchgate.configmaps.record_book import RecordBook, read_book
from patchgate.configmaps.records import DIGESTS_KEY, KEY
from patchgate.errors import InvalidManifestError, SourceError, StoreError
from patchgate.limits import MANIFEST_BYTES
from patchgate.patcher.record_books import Edit
from patchgate.policy.policy import Naming
from patchgate.sources.directory import DirectorySource


@dataclass(frozen=True, slots=True)
class _File:
    """What a file holds.

    Attributes:
        checksum: of its content.
        configmaps: in order, each with why its records cannot be read; empty where they can.
        fault: why there may be more records in it; empty where there cannot be.
    """

    checksum: bytes
    configmaps: tuple[tuple[ConfigMap, str], ...]
    fault: str


class RecordFiles:
    """The books of a directory. Not for several threads at once: the directory's lock sees to that."""

    def __init__(self, directory: Path, names: Names) -> None:
        self._directory = directory
        self._names = names
        self._files: dict[Path, _File] = {}
        self._books: dict[str, tuple[ConfigMap, Naming, RecordBook]] = {}

    def read(self, now: datetime) -> list[RecordBook]:
        """Read every book; one that no file holds is empty.

        Raises:
            StoreError: the directory cannot be listed.
        """
        try:
            paths = DirectorySource(self._directory).list_paths()
        except SourceError as error:
            raise StoreError(str(error)) from error
        self._files = {path: _read_file(path, self._files.get(path), self._names) for path in paths}
        found = {
            each.name: (each, fault)
            for file in reversed(self._files.values())
            for each, fault in reversed(file.configmaps)
        }
        naming = _read_naming(found.get(self._names.image_list))
        hidden = next((f"may be in {path.name}: {file.fault}" for path, file in self._files.items() if file.fault), "")
        empty = {name: (ConfigMap(name, {}, {}), hidden) for name in self._names.all_records}
        return [self._read_book(*(empty | found)[name], naming, now) for name in self._names.all_records]

    def write(self, edit: Edit) -> None:
        """Write a book where it stands, or into a file of its own.

        Raises:
            StoreError: it cannot be written.
        """
        path = self._find_path(edit.name)
        try:
            text = edit_document(path.read_text("utf-8"), edit.name, edit.data) if path.exists() else _make(edit)
            replace_file(path, text.encode())
        except (InvalidManifestError, UnicodeError) as error:
            raise StoreError(f"{path}: {error}") from error
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    def _read_book(self, configmap: ConfigMap, fault: str, naming: Naming, now: datetime) -> RecordBook:
        known = self._books.get(configmap.name)
        if known and known[0] is configmap and known[1] == naming:
            return known[2]
        book = read_book(configmap, naming, now, fault)
        if not book.part.problems and not fault:  # a time that was ahead may be past by the next reading
            self._books[configmap.name] = (configmap, naming, book)
        return book

    def _find_path(self, name: str) -> Path:
        holders = (path for path, file in self._files.items() if any(each.name == name for each, _ in file.configmaps))
        own = self._directory / f"{name}.yaml"
        return next(holders, own if own not in self._files else own.with_stem(f"{name}-of-the-patcher"))


def replace_file(path: Path, content: bytes) -> None:
    """Give a file another content, whole or not at all, also when the machine stops; through links, its mode kept.

    Raises:
        OSError: no room, no right; then nothing has changed.
    """
    real = path.resolve()
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o644
    part = real.with_name(f".{real.name}.part")  # one name: what a run that was killed left goes
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(real)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    _sync_directory(real.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(edit: Edit) -> str:
    return make_document(edit.name, edit.data)


def _read_naming(image_list: tuple[ConfigMap, str] | None) -> Naming:
    return read_policy(image_list[0], None)[0].naming if image_list else Naming()


def _read_file(path: Path, known: _File | None, names: Names) -> _File:
    try:
        if path.stat().st_size > MANIFEST_BYTES:
            return _File(b"", (), f"is larger than {MANIFEST_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        return _File(b"", (), f"cannot be read ({error.strerror})")
    checksum = hashlib.blake2b(content).digest()
    if known and known.checksum == checksum:
        return known
    configmaps: list[tuple[ConfigMap, str]] = []
    try:
        documents = load_documents(decode_text(content))
    except InvalidManifestError as error:
        faults = [f"cannot be read ({error})"]
    else:
        faults = [fault for document in documents if (fault := _read_document(document, configmaps))]
        faults += [] if documents else ["is empty"]
    is_ours = path.stem in names.all_records or names.records.encode() in content
    return _File(checksum, tuple(configmaps), faults[0] if faults and is_ours else "")


def _read_document(document: object, configmaps: list[tuple[ConfigMap, str]]) -> str:
    """Read the ConfigMaps of a document; say why there may be one that cannot be read."""
    try:
        for obj in unfold(document):
            if obj["kind"] == "ConfigMap":
                configmap, bad_keys = read_configmap(obj)
                wrong = dict(bad_keys)
                fault = next((f"has {key} that {wrong[key]}" for key in (KEY, DIGESTS_KEY) if key in wrong), "")
                configmaps.append((configmap, fault))
    except InvalidManifestError as error:
        return str(error)
    return ""
