"""Reads the records again and again while a patcher writes them, as a gate may at any instant."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from patchgate.configmaps.configmap import Names

LOOK_SECONDS = 0.001


@dataclass
class RecordsWatcher:
    """What was read.

    Attributes:
        file: of the first ConfigMap of records.
        states: image → reference@digest of all that it approves, as often as the file changed.
        faults: what could not be read, which is a half record.
    """

    file: Path
    states: list[dict[str, set[str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def look(self) -> bytes:
        content = self.file.read_bytes()
        try:
            data = yaml.safe_load(content)["data"]
            records = json.loads(data["records.json"])["records"]
            self.states.append({image: set(list_approved(record)) for image, record in records.items()})
            for digests in self.states[-1].values():
                assert all(digest.rpartition("@")[2] in data["digests.txt"] for digest in digests), data["digests.txt"]
        except (yaml.YAMLError, ValueError, KeyError, TypeError, AssertionError) as error:
            self.faults.append(f"{error!r}: {content[-300:]!r}")
        return content


def list_approved(record: dict[str, object]) -> Iterator[str]:
    """List what a record approves, the latest first: REPO:TAG@DIGEST."""
    if record["approved_digest"]:
        yield f"{record['approved_reference']}@{record['approved_digest']}"
    earlier = record["earlier"]
    assert isinstance(earlier, list)
    yield from (f"{each['reference']}@{each['digest']}" for each in earlier)


@contextlib.contextmanager
def watch_records(directory: Path) -> Iterator[RecordsWatcher]:
    """Watch the records of a directory until the block ends; then they are read once more."""
    watcher = RecordsWatcher(directory / f"{Names().records}.yaml")
    ended = threading.Event()

    def watch() -> None:
        known = b""
        while not ended.is_set():
            if watcher.file.read_bytes() != known:
                known = watcher.look()
            time.sleep(LOOK_SECONDS)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield watcher
    finally:
        ended.set()
        thread.join()
        watcher.look()
