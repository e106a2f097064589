"""A directory of YAML files, each with one or many ConfigMaps: what the gate reads where there is no cluster.

Only files that changed are read again. A file that cannot be read (half written, of another kind, gone for the moment)
leaves what it last held in force and is reported; a file that is gone takes its ConfigMaps with it. A mounted ConfigMap
works as well: its files are links into `..data`, which the kubelet swaps whole.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import MANIFEST_ENDINGS, load_documents, read_configmap, unfold
from patchgate.errors import InvalidManifestError, SourceError
from patchgate.limits import DEBOUNCE_MILLISECONDS, LOOK_AGAIN_SECONDS
from patchgate.policy.part import Problem
from patchgate.sources.source import Reading

_Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _File:
    """What a file held when it was last read: its ConfigMaps (the last good ones), and what is wrong with it."""

    signature: _Signature
    configmaps: tuple[ConfigMap, ...] = ()
    problems: tuple[Problem, ...] = ()


class DirectorySource:
    """The YAML files right below a directory, in the order of their names; hidden ones are passed over.

    A file or document that cannot be read is a problem of its own and costs no other. Of two ConfigMaps of one name
    the first counts.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[Path, _File] = {}

    def read(self) -> Reading:
        """Read the files that changed.

        Raises:
            SourceError: the directory is missing or cannot be listed.
        """
        self._files = {path: self._look_at(path) for path in self.list_paths()}
        configmaps: dict[str, ConfigMap] = {}
        problems: list[Problem] = []
        for path, file in self._files.items():
            problems += file.problems
            for configmap in file.configmaps:
                if configmaps.setdefault(configmap.name, configmap) is not configmap:
                    reason = f"{configmap.name} stands in another file or document too, which counts"
                    problems.append(Problem(path.name, "", reason))
        return Reading(configmaps, tuple(problems))

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

    def _look_at(self, path: Path) -> _File:
        known = self._files.get(path)
        try:
            signature = _sign(path)
            if known and known.signature == signature:
                return known
            return _read(path, signature)
        except (OSError, UnicodeDecodeError, InvalidManifestError) as error:
            last_good = known.configmaps if known else ()
            kept = "; what it last held stays in force" if last_good else ""
            problem = Problem(path.name, "", f"cannot be read: {_say(error)}{kept}")
            return _File(_sign_or_none(path), last_good, (problem,))


def _read(path: Path, signature: _Signature) -> _File:
    configmaps: list[ConfigMap] = []
    problems: list[Problem] = []
    for document in load_documents(path.read_text(encoding="utf-8")):
        try:
            for configmap, faults in map(read_configmap, unfold(document)):
                problems += [Problem(configmap.name, key, reason) for key, reason in faults]
                configmaps.append(configmap)
        except InvalidManifestError as error:
            problems.append(Problem(path.name, "", str(error)))
    return _File(signature, tuple(configmaps), tuple(problems))


def _sign(path: Path) -> _Signature:
    """Tell one content of a file from another, through links."""
    status = path.stat()
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _sign_or_none(path: Path) -> _Signature:
    try:
        return _sign(path)
    except OSError:
        return (0, 0, 0)


def _say(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
