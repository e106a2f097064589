"""A namespace as a source: its names are followed by the client's informer in a thread, and read when they change."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from kubernetes.client import CoreV1Api
from kubernetes.informer import ADDED, DELETED, ERROR, MODIFIED, SharedInformer

from patchgate.cluster.failure import FOLLOW_RIGHTS, say_failure
from patchgate.cluster.pace import Pace
from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import SourceError
from patchgate.limits import (
    GATHER_MILLISECONDS,
    LOOK_AGAIN_FAILING_SECONDS,
    LOOK_AGAIN_SECONDS,
    STOP_SECONDS,
)
from patchgate.sources.cluster.contact import Contact
from patchgate.sources.cluster.fetch import Fetcher, read_entry
from patchgate.sources.cluster.name_list import NameList, list_names
from patchgate.sources.source import Reading

_PACE: Final = Pace()


class ClusterSource:
    """The ConfigMaps of one namespace, followed.

    While kube-apiserver does not answer, or refuses the watch, every reading fails: what it would read may be old.
    """

    def __init__(self, fetcher: Fetcher, contact: Contact, informer: SharedInformer) -> None:
        self._fetcher = fetcher
        self._contact = contact
        self._informer = informer
        self._failures = 0
        self._failure = ""
        self._paused_until = 0.0

    def read(self, take: Callable[[ConfigMap], None]) -> Reading:
        """Hand over what came or changed; waits for the first list, as long as any answer.

        Raises:
            SourceError: kube-apiserver cannot be followed, or did not give a ConfigMap.
        """
        self._check()
        try:
            reading = self._fetcher.read(self._informer.cache.list(), take)
        except SourceError as error:
            self._failures, self._failure = self._failures + 1, str(error)
            self._paused_until = time.monotonic() + self._fetcher.pace.choose_pause_seconds(self._failures)
            raise
        self._failures, self._failure = 0, ""
        return reading

    def forget(self, names: Iterable[str]) -> None:
        """Fetch these again at the next reading."""
        self._fetcher.forget(names)

    async def changes(self) -> AsyncIterator[None]:
        """Say when to read again: within GATHER_MILLISECONDS of a word, and every LOOK_AGAIN_SECONDS without one."""
        loop, word = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the informer has
                loop.call_soon_threadsafe(word.set)

        self._contact.on_word = tell
        try:
            while True:
                seconds = LOOK_AGAIN_FAILING_SECONDS if self._find_failure() else LOOK_AGAIN_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await word.wait()
                        await asyncio.sleep(GATHER_MILLISECONDS / 1000)
                word.clear()
                yield
        finally:  # nobody follows any more: a reading under way must not hold up the end
            self._contact.is_ended.set()

    @property
    def contact_age_seconds(self) -> float | None:
        """Seconds since kube-apiserver was last heard; None before."""
        return self._contact.age_seconds

    def find_uid(self, name: str) -> str | None:
        """Find the uid of a ConfigMap; None where there is none of that name."""
        entries = map(read_entry, self._informer.cache.list())
        return next((each.uid for each in entries if each.name == name), None)

    def _check(self) -> None:
        """Check that the names are current, and that no pause is due.

        Raises:
            SourceError: says what fails.
        """
        deadline = time.monotonic() + self._fetcher.pace.read_seconds
        while not self._contact.is_synced.wait(0.05):  # a failure or the end, too, must be heard
            if self._contact.is_ended.is_set() or self._contact.failure or time.monotonic() > deadline:
                break
        if failure := self._find_failure():
            raise SourceError(failure)
        if not self._contact.is_synced.is_set():
            raise SourceError(f"{self._fetcher.api.api_client.configuration.host} has not answered yet")

    def _find_failure(self) -> str:
        return self._contact.find_failure() or (self._failure if time.monotonic() < self._paused_until else "")


@contextlib.contextmanager
def follow_cluster(
    api: CoreV1Api, namespace: str, concerns: Callable[[ConfigMap], bool], pace: Pace = _PACE
) -> Iterator[ClusterSource]:
    """Follow a namespace until the block ends; the watch ends with it, or is left to die within its time limits.

    concerns: tells by name and labels whether a ConfigMap matters.
    """
    contact = Contact(pace.steady_seconds, pace.longest_watch_seconds)
    informer = SharedInformer(NameList(api, contact, pace), namespace=namespace, resync_period=pace.watch_seconds)

    def hear(_: object) -> None:
        contact.hear()
        contact.on_word()

    for kind in (ADDED, MODIFIED, DELETED):
        informer.add_event_handler(kind, hear)
    informer.add_event_handler(ERROR, lambda _: contact.on_word())
    informer.start()
    try:
        yield ClusterSource(Fetcher(api, namespace, concerns, pace, contact.is_ended.is_set), contact, informer)
    finally:
        contact.is_ended.set()
        # It waits for whatever the informer waits for, a silent server included.
        stopping = threading.Thread(target=informer.stop, name="stop informer", daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)


def read_cluster_once(  # noqa: PLR0913, PLR0917 -- what it needs
    api: CoreV1Api,
    namespace: str,
    concerns: Callable[[ConfigMap], bool],
    take: Callable[[ConfigMap], None],
    pace: Pace = _PACE,
    needed: str = FOLLOW_RIGHTS,
) -> Reading:
    """Hand over every ConfigMap of a namespace that matters, once. Blocks.

    needed: what to do where a right is missing.

    Raises:
        SourceError: it cannot be listed, or one not be fetched.
    """
    try:
        listed = list_names(api, namespace, pace).items
    except Exception as error:
        host = api.api_client.configuration.host
        raise SourceError(say_failure(error, f"list configmaps in {namespace}", host, needed)) from error
    return Fetcher(api, namespace, concerns, pace, needed=needed).read(listed, take)
