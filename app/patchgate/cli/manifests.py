"""Reads manifests: files, directories and standard input, many documents each."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from patchgate.configmaps.documents import MANIFEST_ENDINGS, load_documents, unfold
from patchgate.errors import InvalidManifestError
from patchgate.policy.verdict import show
from patchgate.policy.workload import Object
from patchgate.server.objects import read_object


@dataclass(frozen=True, slots=True)
class Workload:
    """An object of a manifest.

    Attributes:
        name: `Kind NAMESPACE/NAME`, for people.
        namespace: its own, else the one that was given.
        obj: what it is.
    """

    name: str
    namespace: str
    obj: Object


def read_manifests(paths: Iterable[str], namespace: str) -> Iterator[Workload]:
    """Read every object of the manifests, in order; those without a namespace are in the given one.

    Raises:
        InvalidManifestError: a path cannot be read, or is no manifest; says which.
    """
    for path, text in _read_texts(paths):
        try:
            for value in chain.from_iterable(map(unfold, _load(text))):
                yield _make_workload(read_object(value), namespace)
        except InvalidManifestError as error:
            raise InvalidManifestError(f"{path}: {error}") from error


def _load(text: str) -> list[object]:
    documents = load_documents(text)
    if not documents:
        raise InvalidManifestError("empty, so no manifest")  # what a failed `helm template |` sends
    return documents


def _read_texts(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            if path == "-":
                yield _name(path), sys.stdin.read() if sys.stdin else ""
            else:
                yield from ((str(file), file.read_text(encoding="utf-8")) for file in _list_files(Path(path)))
        except UnicodeDecodeError as error:
            raise InvalidManifestError(f"{_name(path)}: not UTF-8 text, so no manifest") from error
        except OSError as error:
            raise InvalidManifestError(f"{path}: {error.strerror}; name a manifest, a directory or -") from error


def _name(path: str) -> str:
    return "standard input" if path == "-" else path


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in MANIFEST_ENDINGS and file.is_file())
    if not files:
        raise InvalidManifestError(f"{path}: no {', '.join(sorted(MANIFEST_ENDINGS))} file in this directory")
    return files


def _make_workload(obj: Object, namespace: str) -> Workload:
    metadata = obj.metadata
    own = (metadata.namespace if metadata else None) or namespace
    name = (metadata.name or metadata.generateName if metadata else None) or "?"
    return Workload(show(f"{obj.kind} {own}/{name}"), own, obj)
