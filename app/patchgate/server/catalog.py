"""The catalogue, `GET /v1/catalog`: what is tracked and what is approved now, for a Kyverno GlobalContextEntry.

Names are as Kyverno has them (`docker.io/nginx`, no `library/`), and tracked repositories stand under every name that
their registry has, so that a policy which compares strings is not passed by another spelling.
"""

import asyncio
import json
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from cachetools import TTLCache

from patchgate.limits import CATALOG_SECONDS
from patchgate.policy.reference import DOCKER_HUB, DOCKER_HUB_NAMES
from patchgate.policy.snapshot import Snapshot

_OFFICIAL: Final = f"{DOCKER_HUB}/library/"


class Catalog:
    """Writes the catalogue; the same bytes for all who ask within CATALOG_SECONDS and of one snapshot.

    In a thread: of 100,000 images it would hold up the event loop for some tenths of a second.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._writing = asyncio.Lock()
        self._written: TTLCache[int, tuple[weakref.ref[Snapshot], bytes]] = TTLCache(maxsize=1, ttl=CATALOG_SECONDS)

    async def write(self, snapshot: Snapshot) -> bytes:
        """Give the catalogue of the snapshot as JSON."""
        async with self._writing:
            find_snapshot, written = self._written.get(0, (lambda: None, b""))
            if find_snapshot() is not snapshot:
                written = await asyncio.to_thread(_write, snapshot, self._clock())
                self._written[0] = (weakref.ref(snapshot), written)
            return written


def _write(snapshot: Snapshot, now: datetime) -> bytes:
    return json.dumps(list_catalog(snapshot, now)).encode()


def list_catalog(snapshot: Snapshot, now: datetime) -> dict[str, list[str]]:
    """List tracked repositories, and the digests that are `Approved` now."""
    tracked: list[str] = []
    approved: list[str] = []
    stale_after = snapshot.policy.stale_after
    for repository in snapshot.tracked:
        tracked += _name(repository.name, snapshot)
        fresh = [
            digest for digest, approval in repository.approvals_by_digest.items() if approval.is_fresh(now, stale_after)
        ]
        approved += [f"{name}@{digest}" for name in _spell(repository.name) for digest in fresh]
    return {"tracked": sorted(tracked), "approved": sorted(approved)}


def _name(repository: str, snapshot: Snapshot) -> Iterator[str]:
    """Name the repository as every mirror and every name of Docker Hub has it."""
    for name in snapshot.policy.naming.list_names(repository):
        registry, _, _ = name.partition("/")
        hosts = sorted(DOCKER_HUB_NAMES) if registry == DOCKER_HUB else [registry]
        for spelled in _spell(name):
            yield from (host + spelled.removeprefix(registry) for host in hosts)


def _spell(repository: str) -> Iterator[str]:
    """Spell a repository with and without `library/`, where Docker Hub takes both."""
    if repository.startswith(_OFFICIAL):
        yield f"{DOCKER_HUB}/{repository.removeprefix(_OFFICIAL)}"
    yield repository
