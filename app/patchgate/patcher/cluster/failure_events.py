"""Tells whoever wrote an image list of its images that failed: a warning Event on its ConfigMap, one a list and run.

The same failures are the same Event, so that a run every hour fills nothing; of very many lists the first are told.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kubernetes.client import CoreV1Api

from patchgate.cluster.event import EventWriter
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.limits import EVENTS_OF_A_RUN
from patchgate.patcher.cluster.record_configmaps import READ_RIGHTS
from patchgate.policy.part import Problem
from patchgate.sources.cluster.fetch import read_entry
from patchgate.sources.cluster.name_list import list_names
from patchgate.sources.event_message import write_message

_REASON: Final = "ImageFailed"
_NEEDED: Final = "give its service account a Role with create on events"
_WHERE_ELSE: Final = "which the records and the log tell of"


@dataclass(frozen=True, slots=True)
class FailureEvents:
    """Writes Events in a namespace.

    Attributes:
        api: asked to create them.
        namespace: of the lists, and so of the Events.
        clock: gives now, aware UTC.
        pace: how long an answer may take.
    """

    api: CoreV1Api
    namespace: str
    clock: Callable[[], datetime]
    pace: Pace = field(default_factory=Pace)

    def tell(self, failures: Sequence[Problem]) -> None:
        """Tell of a run's failures. Blocks.

        Raises:
            SourceError: one could not be told; those behind it were not tried.
        """
        by_name: defaultdict[str, list[Problem]] = defaultdict(list)
        for failure in failures:
            by_name[failure.configmap].append(failure)
        if not by_name:
            return
        writer = EventWriter(self.api, self.namespace, self._find_uids().get, self.pace, _REASON, _NEEDED)
        for name, its in sorted(by_name.items())[:EVENTS_OF_A_RUN]:
            in_order = sorted(its, key=lambda failure: failure.place)  # the order of a run is another each time
            writer.write(name, write_message(in_order, _WHERE_ELSE), self.clock())

    def _find_uids(self) -> dict[str, str]:
        try:
            listed = list_names(self.api, self.namespace, self.pace).items
        except Exception as error:
            host = self.api.api_client.configuration.host
            action = f"list configmaps in {self.namespace}"
            raise SourceError(say_failure(error, action, host, READ_RIGHTS)) from error
        return {each.name: each.uid for each in map(read_entry, listed)}
