"""Composes a run: the one place where registry, scanner, fixer and store are made of settings.

The Kubernetes client is imported where a cluster is asked for: half a second and 30 MiB that nobody else pays.
"""

# ruff: noqa: PLC0415 -- the reason is above

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from patchgate.patcher.copa import Copa
from patchgate.patcher.directory_store import DirectoryStore
from patchgate.patcher.oci.credentials import Credentials, find_docker_config
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from patchgate.patcher.progress import Progress
from patchgate.patcher.room import Rooms
from patchgate.patcher.settings import PatcherSettings
from patchgate.patcher.stop import Stop
from patchgate.patcher.store import Store
from patchgate.patcher.tools import TellAuthors, Tools, tell_nobody
from patchgate.patcher.trivy import Trivy
from patchgate.sources.config_source import Cluster


@contextmanager
def open_tools(  # noqa: PLR0913 -- all that a run touches, by name
    settings: PatcherSettings,
    *,
    clock: Callable[[], datetime],
    progress: Progress,
    stop: Stop,
    warn: Callable[[str], None],
    directory: Path,
) -> Iterator[Tools]:
    """Open what a run works with, for as long as the block lasts.

    clock: gives now, aware UTC. warn: told what is odd and stops nothing. directory: for files of this run alone.

    Raises:
        SetupError: a setting cannot be used.
    """
    hosts, environment = settings.hosts, settings.environment
    with closing(Transport(environment, Pace(), hosts=hosts, stop=stop.event)) as transport:
        docker_config = settings.docker_config or find_docker_config(environment)
        credentials = Credentials(docker_config, environment, stop.event)
        credentials.learn_secrets()
        rooms = Rooms(directory, environment, credentials.write)
        session = Session(hosts, credentials, transport, Pace(), stop.event)
        store, tell = _open_store(settings, clock, stop)
        yield Tools(
            registry=OciRegistry(session, hosts),
            scanner=Trivy(
                settings.trivy,
                hosts=hosts,
                transport=transport,
                rooms=rooms,
                environment=environment,
                stop=stop.event,
                secrets=lambda: credentials.secrets,
                warn=warn,
            ),
            fixer=Copa(
                settings.copa,
                hosts=hosts,
                directory=directory,
                rooms=rooms,
                stop=stop.event,
                secrets=lambda: credentials.secrets,
                warn=warn,
            ),
            store=store,
            clock=clock,
            progress=progress,
            stop=stop,
            directory=directory,
            shard=settings.shard,
            tell=tell,
        )


def _open_store(settings: PatcherSettings, clock: Callable[[], datetime], stop: Stop) -> tuple[Store, TellAuthors]:
    match settings.source:
        case Path() as directory:
            return DirectoryStore(directory, settings.names, clock, settings.shard), tell_nobody
        case Cluster(name, access):
            from patchgate.cluster.client import make_client
            from patchgate.patcher.cluster.failure_events import FailureEvents
            from patchgate.patcher.cluster.store import ClusterStore
            from patchgate.patcher.cluster.write_budget import WriteBudget

            api = make_client(access)
            budget = WriteBudget(sleep=stop.wait)  # once the end is asked for, few writes are still to come
            store = ClusterStore(api, name, settings.names, clock, settings.shard, budget=budget)
            return store, FailureEvents(api, name, clock).tell
