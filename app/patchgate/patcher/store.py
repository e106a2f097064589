"""What the patcher asks of the place where list, policy and records are kept."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from patchgate.policy.part import LineNote
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot

Change = Callable[[Record | None], Record]
"""Makes a record of the one that stands now. Called again where another writer came between: it must be pure."""


class Store(Protocol):
    """Reads the ConfigMaps, and writes records one by one so that nobody's write is lost. Blocks; safe for threads."""

    def load(self) -> Snapshot:
        """Load list, policy and records.

        Raises:
            SourceError: they cannot be read, or there is no image list; a wrong value of the policy too.
        """
        ...

    def change_record(self, key: str, change: Change) -> Record:
        """Read, change and write one record; give the one that stands then.

        Raises:
            StoreError: it cannot be written: no room, no right, nobody there.
        """
        ...

    def hold_tag(self, reference: str, limit_seconds: float) -> AbstractContextManager[None]:
        """Keep every other run from giving this `REPO:TAG` a meaning while the block lasts.

        Entering raises HeldError where another one does not let go within the limit, StoreError where none can be held.
        """
        ...

    def note_lines(self, notes: Mapping[str, LineNote]) -> None:
        """Note what came of lines with a `*` (`line_notes`), in the place of what was noted of this shard's before.

        Raises:
            StoreError: it cannot be written.
        """
        ...

    def finish_run(self, now: datetime) -> None:
        """Note that a run ended, and let go of what is kept no longer.

        Raises:
            StoreError: it cannot be written.
        """
        ...
