"""A world as a directory of ConfigMaps in files, and one of them that changes: always whole, by a rename."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from loadtest.worlds import RECORDS_PER_CONFIGMAP, list_configmaps, make_records, name_image
from patchgate.configmaps.configmap import ConfigMap

IMAGES: Final = 100_000
RECORD_CONFIGMAPS: Final = 200
_CHANGED_PART: Final = IMAGES // RECORDS_PER_CONFIGMAP // 2


@dataclass(frozen=True, slots=True)
class Change:
    """The next state of the ConfigMap that changes, made beforehand so that writing it costs no time."""

    file: str
    text: bytes

    def write(self, directory: Path) -> None:
        """Put it in force, as a whole."""
        hidden = directory / f".{self.file}.new"
        hidden.write_bytes(self.text)
        hidden.rename(directory / self.file)


def write_world(directory: Path, images: int = IMAGES) -> int:
    """Write a world of so many images; give how many files it is."""
    directory.mkdir()
    configmaps = list_configmaps(images, datetime.now(UTC))
    for configmap in configmaps:
        (directory / f"{configmap.name}.json").write_bytes(write_configmap(configmap))
    return len(configmaps)


def make_changes() -> Iterator[Change]:
    """Make states of one ConfigMap in the midst of the world without end: in turn without and with one image's record.

    What is decided about that image (`name_changing_image`) differs from each state to the next.
    """
    start = _CHANGED_PART * RECORDS_PER_CONFIGMAP
    numbers = range(start, start + RECORDS_PER_CONFIGMAP)
    for generation in count(2):
        records = make_records(_CHANGED_PART, numbers[1 - generation % 2 :], generation, datetime.now(UTC))
        yield Change(f"{records.name}.json", write_configmap(records))


def name_changing_image() -> str:
    """Name the image whose record comes and goes."""
    return name_image(_CHANGED_PART * RECORDS_PER_CONFIGMAP)


def write_configmap(configmap: ConfigMap) -> bytes:
    """Write a ConfigMap as a manifest in JSON, which is YAML."""
    metadata = {"name": configmap.name, "labels": dict(configmap.labels)}
    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(configmap.data)}
    ).encode()
