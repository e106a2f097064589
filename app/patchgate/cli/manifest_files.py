"""Finds the files of manifests: as named, below directories, and standard input; and decodes them.

In a directory what is no manifest is passed over by name. A chart or a kustomization is not what is applied: it has to
be rendered first, and the fault says how.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from patchgate.cli.loaded_manifests import Fault, PassedOver
from patchgate.configmaps.documents import MANIFEST_ENDINGS, decode_text, load_documents
from patchgate.errors import InvalidManifestError
from patchgate.limits import MANIFEST_BYTES

_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_PATCH_KEYS: Final = ("patches", "patchesJson6902", "patchesStrategicMerge", "replacements", "transformers")

_RESOURCE_KEYS: Final = ("resources", "bases", "crds")


@dataclass(frozen=True, slots=True)
class ManifestText:
    """The text of a manifest.

    Attributes:
        path: for people.
        text: its content.
        is_named: whether the command line names it, rather than a directory that holds it: then it has to be one.
    """

    path: str
    text: str
    is_named: bool


def read_files(paths: Iterable[str]) -> Iterator[ManifestText | Fault | PassedOver]:
    """Read every file of the paths, in order; `-` is standard input."""
    for path in paths:
        if path == "-":
            yield _read("standard input", "-", is_named=True)
        elif os.path.isdir(path):  # noqa: PTH112 -- no error for a name that is too long, unlike Path.is_dir
            yield from _read_directory(Path(path))
        else:
            yield _read(path, path, is_named=True)


def _read(name: str, path: str, *, is_named: bool) -> ManifestText | Fault:
    try:
        content = _read_bytes(path)
        if len(content) > MANIFEST_BYTES:
            return Fault(name, f"larger than {MANIFEST_BYTES} bytes: split it")
        return ManifestText(name, decode_text(content), is_named)
    except InvalidManifestError as error:
        return Fault(name, str(error))
    except OSError as error:
        return Fault(name, f"{error.strerror}; name a manifest, a directory or -")


def _read_bytes(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(MANIFEST_BYTES + 1) if sys.stdin else b""
    with Path(path).open("rb") as file:  # perhaps a pipe: `-f <(helm template …)`
        return file.read(MANIFEST_BYTES + 1)


def _read_directory(directory: Path) -> Iterator[ManifestText | Fault | PassedOver]:
    found: list[tuple[Path, ManifestText | Fault | PassedOver]] = []
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if "Chart.yaml" in names and "templates" in folders:
            folders.clear()
            found.append(
                (Path(folder), Fault(folder, f"a Helm chart: render it, helm template {quote(folder)} | {_PIPE}"))
            )
            continue
        found += _read_folder(Path(folder), names)
    if not found:
        yield Fault(str(directory), f"no {', '.join(sorted(MANIFEST_ENDINGS))} file in this directory")
    yield from (each for _, each in sorted(found, key=lambda pair: pair[0]))


_PIPE: Final = "patchgate check -f -"


def _read_folder(folder: Path, names: list[str]) -> Iterator[tuple[Path, ManifestText | Fault | PassedOver]]:
    files = [folder / name for name in names if not name.startswith(".")]
    kustomization = next((file for file in files if file.name in _KUSTOMIZATIONS and file.is_file()), None)
    patches = _list_patches(kustomization) if kustomization else frozenset()
    if kustomization:
        render = f"kubectl kustomize {quote(str(folder))} | {_PIPE}"
        yield folder, Fault(str(folder), f"a kustomization: render it, {render}; its files are judged as they are")
    for file in files:
        if file == kustomization or file.suffix not in MANIFEST_ENDINGS:
            continue
        if not file.is_file():
            yield file, PassedOver(str(file), 1, "no file that can be read, such as a device or a broken link")
        elif file in patches:
            yield file, PassedOver(str(file), 1, "a patch of the kustomization")
        else:
            yield file, _read(str(file), str(file), is_named=False)


def _list_patches(kustomization: Path) -> frozenset[Path]:
    """List the files that a kustomization patches with: parts of objects, which cannot be judged."""
    read = _read(kustomization.name, str(kustomization), is_named=False)
    try:
        documents = load_documents(read.text) if isinstance(read, ManifestText) else []
    except InvalidManifestError:
        return frozenset()
    content = next((each for each in documents if isinstance(each, dict)), {})
    patches, resources = (_list_paths(content, keys, kustomization.parent) for keys in (_PATCH_KEYS, _RESOURCE_KEYS))
    return patches - resources


def _list_paths(content: Mapping[str, object], keys: Iterable[str], folder: Path) -> frozenset[Path]:
    lists = (each for key in keys if isinstance(each := content.get(key), list))
    paths = [each.get("path") if isinstance(each, dict) else each for entries in lists for each in entries]
    return frozenset(Path(os.path.normpath(folder / path)) for path in paths if isinstance(path, str))
