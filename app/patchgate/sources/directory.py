"""A directory of YAML files, each with one or many ConfigMaps: what the gate reads where there is no cluster."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import load_documents, read_configmap, unfold
from patchgate.errors import InvalidManifestError, SourceError
from patchgate.policy.part import Problem
from patchgate.sources.source import Reading

_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """The YAML files right below a directory, in the order of their names; hidden ones are passed over.

    A file or document that cannot be read is a problem of its own and costs no other. Of two ConfigMaps of one name
    the first counts.
    """

    directory: Path

    def read(self) -> Reading:
        """Read every file.

        Raises:
            SourceError: the directory is missing or cannot be listed.
        """
        configmaps: dict[str, ConfigMap] = {}
        problems: list[Problem] = []
        for file in self._list_files():
            try:
                found = self._read_file(file, problems)
            except (OSError, UnicodeDecodeError, InvalidManifestError) as error:
                problems.append(Problem(file.name, "", f"cannot be read: {_say(error)}"))
                continue
            for configmap in found:
                if configmaps.setdefault(configmap.name, configmap) is not configmap:
                    reason = f"{configmap.name} stands in another file or document too, which counts"
                    problems.append(Problem(file.name, "", reason))
        return Reading(configmaps, tuple(problems))

    def _list_files(self) -> list[Path]:
        try:
            files = sorted(self.directory.iterdir())
        except OSError as error:
            raise SourceError(f"--source {self.directory}: {_say(error)}; name a directory of ConfigMaps") from error
        return [file for file in files if file.suffix in _ENDINGS and not file.name.startswith(".")]

    def _read_file(self, file: Path, problems: list[Problem]) -> list[ConfigMap]:
        configmaps = []
        for document in load_documents(file.read_text(encoding="utf-8")):
            try:
                for configmap, faults in map(read_configmap, unfold(document)):
                    problems += [Problem(configmap.name, key, reason) for key, reason in faults]
                    configmaps.append(configmap)
            except InvalidManifestError as error:
                problems.append(Problem(file.name, "", str(error)))
        return configmaps


def _say(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
