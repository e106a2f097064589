"""Remembers verdicts of images that are asked about again and again: a rollout asks the same of each of its Pods.

Only verdicts that say until when they hold are remembered (approved, not tracked, a patch available), for one
snapshot, and served only between the instant they were given and that one. Used by the event loop alone: cachetools
takes no lock.
"""

import weakref
from datetime import datetime
from typing import Final

from cachetools import LRUCache

from patchgate.limits import NAMESPACE_CHARACTERS, VERDICTS_REMEMBERED
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image

_PULL_POLICIES: Final = frozenset({None, "Always", "IfNotPresent", "Never"})
_Key = tuple[str, str | None, str | None, bool]


class VerdictCache:
    """Decides as the policy does, from memory where it can."""

    def __init__(self, size: int = VERDICTS_REMEMBERED) -> None:
        self._snapshot: weakref.ref[Snapshot] | None = None
        self._remembered: LRUCache[_Key, tuple[datetime, datetime, Verdict]] = LRUCache(size)

    def decide(self, image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Verdict:
        """Decide one image. now: aware UTC."""
        if self._snapshot is None or self._snapshot() is not snapshot:
            self._remembered.clear()
            self._snapshot = weakref.ref(snapshot)
        if image.pull_policy not in _PULL_POLICIES or len(asker.namespace or "") > NAMESPACE_CHARACTERS:
            return decide(image, snapshot, asker, now)  # no such Pod is ever made, and the key would have no bound
        key = (image.text, image.pull_policy, asker.namespace, asker.is_controller)
        remembered = self._remembered.get(key)
        if remembered and remembered[0] <= now <= remembered[1]:
            return remembered[2]
        verdict = decide(image, snapshot, asker, now)
        if verdict.until:
            self._remembered[key] = (now, verdict.until, verdict)
        return verdict
