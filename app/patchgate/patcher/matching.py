"""Asks registries for the tags that patterns stand for: repositories side by side, with a time of their own.

A registry that is slow, or lists tags without end, costs its own lines alone; a stop ends all of it within seconds.
Tags are used up as their pages come, so that a page of each repository is in memory, and never a whole list.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Final

from patchgate.errors import RegistryError
from patchgate.patcher.expand import FindMatches, Matches, match_tags
from patchgate.patcher.registry import Registry
from patchgate.patcher.stop import Stop
from patchgate.policy.repository import Repository

EXPANSION_SECONDS: Final = 600.0
"""For the tags of all repositories with patterns: hundreds of them take a minute, side by side."""
STOP_SECONDS: Final = 10.0
"""How long lists are waited for once the run is stopped: a page that is awaited ends in half of it."""
_LOOK_SECONDS: Final = 0.2


def make_matching(registry: Registry, stop: Stop, jobs: int, limit_seconds: float = EXPANSION_SECONDS) -> FindMatches:
    """Make what `expand_lists` asks. jobs: repositories side by side."""
    return partial(_find_matches, registry=registry, stop=stop, jobs=jobs, limit_seconds=limit_seconds)


def _find_matches(
    repositories: Sequence[Repository], registry: Registry, stop: Stop, jobs: int, limit_seconds: float
) -> list[Matches]:
    is_over = Event()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="tags")
    try:
        futures = [pool.submit(_match, each, registry, stop, is_over) for each in repositories]
        _wait(futures, stop, limit_seconds)
    finally:
        is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)
    late = _leave(stop) if stop.is_asked else Matches(fault=f"its registry takes longer than {limit_seconds:g} s")
    return [future.result() if future.done() and not future.cancelled() else late for future in futures]


def _match(repository: Repository, registry: Registry, stop: Stop, is_over: Event) -> Matches:
    if stop.is_asked:
        return _leave(stop)
    matches = match_tags(repository, _watch(registry, repository.name, is_over))
    return _leave(stop) if matches.fault and stop.event.is_set() else matches


def _watch(registry: Registry, repository: str, is_over: Event) -> Iterator[str]:
    for tag in registry.list_tags(repository):
        if is_over.is_set():
            raise RegistryError("its time is over")
        yield tag


def _wait(futures: Sequence[Future[Matches]], stop: Stop, limit_seconds: float) -> None:
    until = time.monotonic() + limit_seconds
    while wait(futures, timeout=_LOOK_SECONDS).not_done and time.monotonic() < until:
        if stop.is_asked:
            wait(futures, timeout=STOP_SECONDS)
            return


def _leave(stop: Stop) -> Matches:
    return Matches(fault=f"left for the next run: {stop.reason}", is_left=True)
