"""A directory of YAML files, each with one or many ConfigMaps: what the gate reads where there is no cluster.

Only files that changed are read again. A file that cannot be read, in whole or in part (half written, of another kind,
gone for the moment), leaves what it last held in force and is reported; a file that is gone takes its ConfigMaps with
it. A mounted ConfigMap works as well: its files are links into `..data`, which the kubelet swaps whole.
"""

import errno
import hashlib
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import MANIFEST_ENDINGS, decode_text, load_documents, read_configmap, unfold_good
from patchgate.errors import InvalidManifestError, SourceError
from patchgate.limits import MANIFEST_BYTES, SETTLED_SECONDS
from patchgate.policy.part import Problem
from patchgate.policy.verdict import show
from patchgate.sources.source import Reading

_Signature = tuple[int, int, int, int]
_UNREAD: Final[_Signature] = (0, 0, 0, 0)
_KEPT: Final = "; what it last held stays in force"


@dataclass(frozen=True, slots=True)
class _File:
    """What is remembered of a file: which ConfigMaps it holds (those it last held, where it cannot be read).

    Attributes:
        signature: of the content that was read; `_UNREAD` where another content could have the same one.
        checksum: of the content that was read; empty where it must be read again.
        names: of its ConfigMaps.
        kept: of those it held when it was last whole, and does not now.
        faults: how many of its documents could not be read when it was last whole.
        problems: what in it could not be read.
    """

    signature: _Signature
    checksum: bytes = b""
    names: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    faults: int = 0
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
        files: dict[Path, _File] = {}
        owners: dict[str, Path] = {}
        problems: list[Problem] = []
        for path in self.list_paths():
            file = files[path] = self._look_at(path, self._files.get(path, _File(_UNREAD)), owners, take)
            problems += file.problems
            for name in file.names:
                if owners.setdefault(name, path) is not path:
                    reason = f"{name} stands in {show(owners[name].name)} too, which counts"
                    problems.append(Problem(show(path.name), "", reason))
        for path, file in files.items():  # what a file really holds goes before what another is kept to have held
            owners |= {name: path for name in file.kept if name not in owners}
        self._files, self._owners = files, owners
        return Reading(frozenset(owners), tuple(problems))

    def forget(self, names: Iterable[str]) -> None:
        """Read the files of these names again at the next reading."""
        for path in {self._owners[name] for name in names if name in self._owners}:
            self._files[path] = replace(self._files[path], signature=_UNREAD, checksum=b"")

    def changes(self) -> AsyncIterator[None]:
        """Say when to read again (inotify, and every LOOK_AGAIN_SECONDS)."""
        from patchgate.sources.watch import watch_directory  # noqa: PLC0415 -- asyncio and inotify, for who follows

        return watch_directory(self._directory.absolute())

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
        self, path: Path, known: _File, owners: Mapping[str, Path], take: Callable[[ConfigMap], None]
    ) -> _File:
        """Look at a file; read it where it changed, or where what it holds counts only from now on."""
        signature, file_name = _UNREAD, show(path.name)
        try:
            signature = _sign(path)
            new_here = any(name not in owners and self._owners.get(name) != path for name in known.names)
            if known.signature == signature != _UNREAD and not new_here:
                return known
            content = path.read_bytes()
            checksum = hashlib.blake2b(content).digest()
            if known.checksum == checksum and not new_here:
                return replace(known, signature=signature)
            configmaps, problems, faults = _read(file_name, decode_text(content))
        except (OSError, InvalidManifestError) as error:
            before = (*known.names, *known.kept)
            problem = Problem(file_name, "", f"cannot be read: {_say(error)}{_KEPT if before else ''}")
            return _File(signature, kept=before, faults=known.faults, problems=(problem,))
        problems += _hand_over(file_name, configmaps, owners, take)
        held = tuple(dict.fromkeys(each.name for each in configmaps))
        lost = tuple(name for name in (*known.names, *known.kept) if name not in held)
        if lost and (len(faults) > known.faults or not (configmaps or faults)):  # broken, or not written to its end
            first = faults[0].reason if faults else "holds no ConfigMap any more"
            kept = Problem(file_name, "", f"{first}; {', '.join(lost)}: what it last held stays in force")
            return _File(signature, checksum, held, lost, known.faults, (*problems, kept, *faults[1:]))
        return _File(signature, checksum, held, (), len(faults), (*problems, *faults))


def _hand_over(
    file_name: str, configmaps: Iterable[ConfigMap], owners: Mapping[str, Path], take: Callable[[ConfigMap], None]
) -> list[Problem]:
    """Hand over what counts of a file: the first of a name, unless a file before holds the name."""
    taken: dict[str, ConfigMap] = {}
    problems: list[Problem] = []
    for configmap in configmaps:
        if taken.setdefault(configmap.name, configmap) is not configmap:
            problems.append(Problem(file_name, "", f"{configmap.name} stands in it twice; the first counts"))
        elif configmap.name not in owners:
            take(configmap)
    return problems


def _read(file_name: str, text: str) -> tuple[list[ConfigMap], list[Problem], list[Problem]]:
    """Read what is good; the rest comes back as problems of ConfigMaps, and of documents that are none."""
    configmaps: list[ConfigMap] = []
    problems: list[Problem] = []
    faults: list[Problem] = []
    for document in load_documents(text):
        for obj in unfold_good(document):
            try:
                configmap, bad_keys = _read_object(obj)
            except InvalidManifestError as error:
                faults.append(Problem(file_name, "", str(error)))
                continue
            problems += [Problem(configmap.name, key, reason) for key, reason in bad_keys]
            configmaps.append(configmap)
    return configmaps, problems, faults


def _read_object(obj: dict[str, object] | InvalidManifestError) -> tuple[ConfigMap, list[tuple[str, str]]]:
    if isinstance(obj, InvalidManifestError):
        raise obj
    return read_configmap(obj)


def _sign(path: Path) -> _Signature:
    """Tell one content of a file from another, through links; not yet where it changed just now.

    Raises:
        OSError: there is none, or it is no file: a pipe would be waited for.

    Two changes within one tick of the file system's clock (up to 2 s) look the same, as git's index knows
    (Documentation/technical/racy-git.txt).
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a file")
    if status.st_size > MANIFEST_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MANIFEST_BYTES} bytes")
    if abs(time.time() - status.st_ctime) < SETTLED_SECONDS:
        return _UNREAD
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _say(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
