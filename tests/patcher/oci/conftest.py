"""A registry of a test's own, and the adapter that asks it."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import starmap
from pathlib import Path
from typing import Protocol

import pytest

from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from patchgate.policy.mirror import Mirror, Mirrors
from tests.patcher.http_server import Asked, HttpServer, Reply

PASSWORD = "correct-horse-battery"  # noqa: S105 -- of a registry that lives for a test
QUICK = Pace(tries=3, connect_seconds=5, read_seconds=5, first_pause_seconds=0.001, most_pause_seconds=2)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def login(host: str, user: str = "robot", password: str = PASSWORD) -> dict[str, object]:
    """A docker config."""
    return {"auths": {host: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}}}


@dataclass
class Opened:
    """Opens registries."""

    directory: Path
    stack: ExitStack
    stop: threading.Event = field(default_factory=threading.Event)

    def pace(self, **changed: float) -> Pace:
        return replace(QUICK, **changed)  # type: ignore[arg-type]

    def __call__(
        self,
        *hosts: str,
        config: Mapping[str, object] | None = None,
        pace: Pace = QUICK,
        plain: bool = True,
        mirrors: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        stop_seconds: float = 5.0,
    ) -> OciRegistry:
        if config is not None:
            (self.directory / "config.json").write_text(json.dumps(config))
        reached = Hosts(
            frozenset(hosts) if plain else frozenset(), Mirrors.of(starmap(Mirror, (mirrors or {}).items()))
        )
        transport = Transport(environment or {}, pace, hosts=reached, stop=self.stop, stop_seconds=stop_seconds)
        self.stack.callback(transport.close)
        credentials = Credentials(self.directory, {"PATH": f"{self.directory}:/usr/bin:/bin"}, self.stop)
        return OciRegistry(Session(reached, credentials, transport, pace, self.stop), reached, clock)


class Answering(Protocol):
    """What says how a server answers."""

    def __call__(self, asked: Asked) -> Reply: ...


@dataclass
class Servers:
    """Starts servers."""

    stack: ExitStack

    def __call__(self, *answers: Reply | Answering) -> HttpServer:
        """Answers one after another, the last one ever after."""
        left = list(answers)

        def answer(asked: Asked) -> Reply:
            following = left.pop(0) if len(left) > 1 else left[0]
            return following if isinstance(following, Reply) else following(asked)

        return self.stack.enter_context(HttpServer(answer).serving())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def open_registry(tmp_path: Path, stack: ExitStack) -> Opened:
    return Opened(tmp_path, stack)


@pytest.fixture
def serve(stack: ExitStack) -> Servers:
    return Servers(stack)
