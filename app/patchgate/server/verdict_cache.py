"""Remembers verdicts of images that are asked about again and again: a rollout asks the same of each of its Pods.

Only verdicts that say until when they hold are remembered (approved, not tracked, a patch available), for one
snapshot, and served only between the instant they were given and that one. Used by the event loop alone.

Two dicts in turn are the bound: when the young one is full it becomes the old one, and what nobody asked for since is
dropped with the one that was old. An LRU cache, which orders anew at each hit, costs ten times as much (docs/adr/0018).
"""

import weakref
from datetime import datetime
from typing import Final

from patchgate.limits import NAMESPACE_CHARACTERS, VERDICTS_REMEMBERED
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image

_PULL_POLICIES: Final = frozenset({None, "Always", "IfNotPresent", "Never"})
_Key = tuple[Image, Asker]
_Given = tuple[datetime, datetime, Verdict]
"""When a verdict was given, until when it holds, and the verdict."""


class VerdictCache:
    """Decides as the policy does, from memory where it can."""

    def __init__(self, size: int = VERDICTS_REMEMBERED) -> None:
        self._half = size // 2
        self._snapshot: weakref.ref[Snapshot] | None = None
        self._young: dict[_Key, _Given] = {}
        self._old: dict[_Key, _Given] = {}

    def decide(self, image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Verdict:
        """Decide one image. now: aware UTC."""
        if self._snapshot is None or self._snapshot() is not snapshot:
            self._snapshot, self._young, self._old = weakref.ref(snapshot), {}, {}
        key = (image, asker)
        given = self._young.get(key) or self._recall(key)
        if given and given[0] <= now <= given[1]:
            return given[2]
        verdict = decide(image, snapshot, asker, now)
        if verdict.until and _is_bounded(image, asker):
            self._keep(key, (now, verdict.until, verdict))
        return verdict

    def _recall(self, key: _Key) -> _Given | None:
        """Recall what was given before the last turn, and keep it for another."""
        given = self._old.get(key)
        if given:
            self._keep(key, given)
        return given

    def _keep(self, key: _Key, given: _Given) -> None:
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young
        self._young[key] = given


def _is_bounded(image: Image, asker: Asker) -> bool:
    """Tell whether such a Pod can be: of words without a bound nothing is kept."""
    return image.pull_policy in _PULL_POLICIES and len(asker.namespace or "") <= NAMESPACE_CHARACTERS
