"""A whole patcher on simulators that work: registry, scanner, fixer and store, and a clock that a test moves."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from patchgate.patcher.progress import Outcome, Result, Step
from patchgate.patcher.run import run_patcher
from patchgate.patcher.shard import Shard
from patchgate.patcher.side_by_side import Pace
from patchgate.patcher.stop import Stop
from patchgate.patcher.summary import Summary
from patchgate.patcher.tools import Tools
from patchgate.policy.policy import Severity
from patchgate.policy.record import Record
from tests.patcher.fixer_simulator import FixerSimulator
from tests.patcher.registry_simulator import RegistrySimulator
from tests.patcher.scanner_simulator import ScannerSimulator
from tests.patcher.store_simulator import StoreSimulator
from tests.world import NOW, image_list

if TYPE_CHECKING:
    from patchgate.configmaps.configmap import ConfigMap
    from patchgate.policy.part import Problem

HOST = "registry.example.com"
API = f"{HOST}/shop/api:1.4"
API_REPOSITORY = f"{HOST}/shop/api"
TODAY = "20260509"
PATCHED = f"{API}-patched-{TODAY}"


@dataclass
class ProgressList:
    """Keeps what it hears."""

    steps: list[tuple[str, Step]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin_step(self, key: str, step: Step, detail: str) -> None:
        assert isinstance(detail, str)
        with self.lock:
            self.steps.append((key, step))

    def end_image(self, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes.append(outcome)

    def steps_of(self, key: str) -> list[Step]:
        return [step for image, step in self.steps if image == key]


class Worksite:
    """Everything that runs need, at NOW until a test moves the clock."""

    def __init__(self, directory: Path, *lines: str, **policy: str) -> None:
        self.now = NOW
        self.directory = directory
        self.registry = RegistrySimulator()
        self.scanner = ScannerSimulator(self.registry, {"libssl3": (2, Severity.CRITICAL)})
        self.fixer = FixerSimulator(self.registry)
        self.lists: tuple[ConfigMap, ...] = (image_list(*lines, **policy),)
        self.store = StoreSimulator(self.lists, clock=lambda: self.now)
        self.progress = ProgressList()
        self.stop = Stop()
        self.shard = Shard()
        self.told: list[Problem] = []

    @property
    def tools(self) -> Tools:
        return Tools(
            self.registry,
            self.scanner,
            self.fixer,
            self.store,
            lambda: self.now,
            self.progress,
            self.stop,
            self.directory,
            self.shard,
            self.told.extend,
        )

    def run(self, *images: str, jobs: int = 1, image_seconds: float = 60, run_seconds: float = 60) -> Summary:
        return run_patcher(self.tools, Pace(jobs, image_seconds, run_seconds), images)

    def run_one(self, *images: str) -> Outcome:
        (outcome,) = self.run(*images).outcomes
        return outcome

    def results(self, summary: Summary) -> dict[str, Result]:
        return {outcome.key: outcome.result for outcome in summary.outcomes}

    def record(self, key: str = API) -> Record:
        return self.store.records[key]

    def pass_time(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    def update_database(self, **vulnerable: tuple[int, Severity]) -> datetime:
        """A new database, with these packages vulnerable too."""
        self.scanner.vulnerable |= vulnerable
        self.scanner.database = self.now
        return self.now
