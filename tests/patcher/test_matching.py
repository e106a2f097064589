"""Asking registries for the tags of patterns: with a time of its own, side by side, and never deaf to a stop."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher import matching
from patchgate.patcher.expand import Expansion, expand_lists
from patchgate.patcher.stop import Stop
from tests.patcher.registry_simulator import RegistrySimulator
from tests.world import image_list, snapshot

API, WEB = "registry.example.com/myapp/api", "slow.example.com/myapp/web"


@dataclass
class SlowRegistry(RegistrySimulator):
    """Lists the tags of WEB without end, and says when it has begun."""

    begun: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    stop: Stop = field(default_factory=Stop)
    given: int = 0

    def list_tags(self, repository: str) -> Iterator[str]:
        if repository != WEB:
            yield from super().list_tags(repository)
            return
        while not self.over.wait(0.001):
            self.begun.set()
            if self.stop.is_asked:
                raise RegistryError("stopped before it had listed its tags")
            self.given += 1
            yield f"2.{self.given}"


@pytest.fixture
def registry() -> Iterator[SlowRegistry]:
    slow = SlowRegistry()
    slow.push(f"{API}:1.0", {})
    yield slow
    slow.over.set()


def expand(registry: SlowRegistry, limit_seconds: float) -> Expansion:
    world = snapshot(image_list(f"{WEB}:1.*", f"{API}:1.*", f"{API}:0.9"))
    return expand_lists(world, matching.make_matching(registry, registry.stop, 2, limit_seconds))


def test_a_registry_without_end_costs_its_own_lines_alone(registry: SlowRegistry) -> None:
    expansion = expand(registry, 0.1)
    assert [target.key for target in expansion.targets] == [f"{API}:0.9", f"{API}:1.0"]
    assert [problem.reason for problem in expansion.failures] == [
        f"{WEB}:1.* cannot be expanded: its registry takes longer than 0.1 s"
    ]
    assert not expansion.left


def test_a_list_whose_time_is_over_is_read_no_further(registry: SlowRegistry) -> None:
    expand(registry, 0.1)
    ended = {thread.name for thread in threading.enumerate() if thread.name.startswith("tags")}
    for thread in threading.enumerate():
        if thread.name in ended:
            thread.join(timeout=60)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tags")]


def test_a_stop_leaves_the_lines_for_the_next_run(registry: SlowRegistry) -> None:
    def stop() -> None:
        assert registry.begun.wait(60)
        registry.stop.ask("told to end")

    stopper = threading.Thread(target=stop)
    stopper.start()
    expansion = expand(registry, 600)
    stopper.join()
    assert f"{WEB}:1.* left for the next run: told to end" in [problem.reason for problem in expansion.left]
    assert not expansion.failures


def test_a_stop_before_the_first_page_asks_nothing(registry: SlowRegistry) -> None:
    registry.stop.ask("told to end")
    expansion = expand(registry, 600)
    assert len(expansion.left) == 2
    assert (registry.given, registry.count("LIST")) == (0, 0)
