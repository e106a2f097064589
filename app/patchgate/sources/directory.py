"""A directory of YAML files, each with one or many ConfigMaps: what the gate reads where there is no cluster.

Only files that changed are read again. A file that cannot be read (half written, of another kind, gone for the moment)
leaves what it last held in force and is reported; a file that is gone takes its ConfigMaps with it. A mounted ConfigMap
works as well: its files are links into `..data`, which the kubelet swaps whole.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from watchfiles import awatch

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import MANIFEST_ENDINGS, load_documents, read_configmap, unfold
from patchgate.errors import InvalidManifestError, SourceError
from patchgate.limits import DEBOUNCE_MILLISECONDS, LOOK_AGAIN_SECONDS
from patchgate.policy.part import Problem
from patchgate.sources.source import Reading

_Signature = tuple[int, int, int]
_UNREAD: Final[_Signature] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _File:
    """What is remembered of a file: which ConfigMaps it holds (those it last held, where it cannot be read)."""

    signature: _Signature
    names: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class DirectorySource:
    """The YAML files right below a directory, in the order of their names; hidden ones are passed over.

    A file or document that cannot be read is a problem of its own and costs no other. Of two ConfigMaps of one name
    the first counts.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[Path, _File] = {}
        self._owners: dict[str, Path] = {}

    def read(self, take: Callable[[ConfigMap], None]) -> Reading:
        """Read the files that changed, one at a time.

        Raises:
            SourceError: the directory is missing or cannot be listed.
        """
        before, self._files = self._files, {}
        owners: dict[str, Path] = {}
        problems: list[Problem] = []
        for path in self.list_paths():
            file = self._look_at(path, before.get(path), owners, take)
            self._files[path] = file
            problems += file.problems
            for name in file.names:
                if owners.setdefault(name, path) is not path:
                    problems.append(Problem(path.name, "", f"{name} stands in {owners[name].name} too, which counts"))
        self._owners = owners
        return Reading(frozenset(owners), tuple(problems))

    def forget(self, names: Iterable[str]) -> None:
        """Read the files of these names again at the next reading."""
        for path in {self._owners[name] for name in names if name in self._owners}:
            self._files[path] = replace(self._files[path], signature=_UNREAD)

    async def changes(self) -> AsyncIterator[None]:
        """Say when to read again (inotify, and every LOOK_AGAIN_SECONDS)."""
        while True:
            try:
                async for _ in awatch(
                    self._directory,
                    debounce=DEBOUNCE_MILLISECONDS,
                    recursive=False,
                    rust_timeout=LOOK_AGAIN_SECONDS * 1000,
                    yield_on_timeout=True,
                ):
                    yield
            except (OSError, RuntimeError):  # the directory is gone: reading it says so, until it is back
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                yield

    def list_paths(self) -> list[Path]:
        """List the files that count.

        Raises:
            SourceError: the directory is missing or cannot be listed.
        """
        try:
            paths = sorted(self._directory.iterdir())
        except OSError as error:
            raise SourceError(f"--source {self._directory}: {_say(error)}; name a directory of ConfigMaps") from error
        return [path for path in paths if path.suffix in MANIFEST_ENDINGS and not path.name.startswith(".")]

    def _look_at(
        self, path: Path, known: _File | None, owners: Mapping[str, Path], take: Callable[[ConfigMap], None]
    ) -> _File:
        """Look at a file; read it where it changed, or where what it holds counts only from now on."""
        try:
            signature = _sign(path)
            new_here = known and any(name not in owners and self._owners.get(name) != path for name in known.names)
            if known and known.signature == signature and not new_here:
                return known
            configmaps, problems = _read(path)
        except (OSError, UnicodeDecodeError, InvalidManifestError) as error:
            names = known.names if known else ()
            kept = "; what it last held stays in force" if names else ""
            problem = Problem(path.name, "", f"cannot be read: {_say(error)}{kept}")
            return _File(_sign_or_none(path), names, (problem,))
        taken: dict[str, ConfigMap] = {}
        for configmap in configmaps:
            if configmap.name not in owners and taken.setdefault(configmap.name, configmap) is configmap:
                take(configmap)
        twice = [each.name for each in configmaps if each.name in taken and taken[each.name] is not each]
        problems += [Problem(path.name, "", f"{name} stands in it twice; the first counts") for name in twice]
        return _File(signature, tuple(dict.fromkeys(each.name for each in configmaps)), tuple(problems))


def _read(path: Path) -> tuple[list[ConfigMap], list[Problem]]:
    configmaps: list[ConfigMap] = []
    problems: list[Problem] = []
    for document in load_documents(path.read_text(encoding="utf-8")):
        try:
            for configmap, faults in map(read_configmap, unfold(document)):
                problems += [Problem(configmap.name, key, reason) for key, reason in faults]
                configmaps.append(configmap)
        except InvalidManifestError as error:
            problems.append(Problem(path.name, "", str(error)))
    return configmaps, problems


def _sign(path: Path) -> _Signature:
    """Tell one content of a file from another, through links."""
    status = path.stat()
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _sign_or_none(path: Path) -> _Signature:
    try:
        return _sign(path)
    except OSError:
        return _UNREAD


def _say(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
