"""When the gate puts its webhooks in force: not before it is ready for a while, and it never takes them out."""

import asyncio
import contextlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from patchgate.errors import RefusedWebhooksError, SourceError
from patchgate.gate.arming import Armer
from patchgate.gate.log import make_log
from patchgate.metrics import GateMetrics


@dataclass
class Bench:
    """An armer of webhooks in this process.

    Attributes:
        outcomes: what the webhooks give at each look; the last one goes on.
    """

    outcomes: list[list[str] | Exception | None]
    is_ready: bool = True
    looks: int = 0
    step: timedelta = timedelta(minutes=4)
    cannot_announce: bool = False
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.metrics = GateMetrics(CollectorRegistry())
        self.now = datetime(2026, 5, 9, 12, tzinfo=UTC)
        self.announced: list[tuple[str, str]] = []
        self.armer = Armer(
            self,
            lambda: self.is_ready,
            lambda: self.now,
            self.metrics,
            make_log(self.log),
            after_seconds=0,
            poll_seconds=0.001,
        )

    def announce(self, refusal: RefusedWebhooksError, now: datetime) -> None:  # noqa: ARG002 -- as the protocol has it
        self.announced.append((refusal.configmap, str(refusal)))
        if self.cannot_announce:
            raise SourceError("no right to create events")

    def look(self) -> list[str] | None:
        outcome = self.outcomes[min(self.looks, len(self.outcomes) - 1)]
        self.looks += 1
        self.now += self.step
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def run(self, looks: int) -> None:
        """Let it run until it has looked so often, or for a tenth of a second."""

        async def go() -> None:
            task = asyncio.create_task(self.armer.run())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1 if not looks else 10):
                    while self.looks < looks or not looks:  # noqa: ASYNC110 -- what it waits for is done in a thread
                        await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(go())

    @property
    def said(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]

    @property
    def armed(self) -> float | None:
        return self.metrics.registry.get_sample_value("patchgate_armed")

    @property
    def errors(self) -> float | None:
        return self.metrics.registry.get_sample_value("patchgate_errors_total", {"where": "webhooks"})


def test_nothing_is_touched_while_it_is_not_ready() -> None:
    bench = Bench([["enforce.patchgate.io"]], is_ready=False)
    bench.run(0)
    assert bench.looks == 0
    assert bench.armed == 0


def test_what_it_put_in_force_is_said_once() -> None:
    bench = Bench([["enforce.patchgate.io"], []])
    bench.run(3)
    assert bench.said == ["armed: kube-apiserver asks by these webhooks"]
    assert bench.armed == 1


def test_it_must_have_been_ready_for_a_while_without_a_break() -> None:
    bench = Bench([[]])
    bench.armer.after_seconds = 10
    assert not bench.armer.is_settled(100.0)
    assert not bench.armer.is_settled(109.0)
    bench.is_ready = False
    assert not bench.armer.is_settled(110.0)
    bench.is_ready = True
    assert not bench.armer.is_settled(111.0)
    assert bench.armer.is_settled(121.0)


def test_what_hinders_is_said_once_and_counted_each_time() -> None:
    bench = Bench([SourceError("refused"), SourceError("refused"), SourceError("gone"), []])
    bench.run(4)
    assert [json.loads(line)["why"] for line in bench.log.getvalue().splitlines()] == ["refused", "gone"]
    assert bench.errors == 3
    assert bench.armed == 1


def test_a_configuration_that_is_not_there_is_waited_for() -> None:
    bench = Bench([None, None, ["enforce.patchgate.io"], []])
    bench.run(4)
    assert len(bench.said) == 2
    assert bench.armed == 1


def test_a_defect_of_ours_is_lived_through() -> None:
    bench = Bench([ValueError("a defect"), []])
    bench.run(2)
    assert bench.errors == 1
    assert bench.said == ["a defect of patchgate"]


REFUSAL = RefusedWebhooksError("patchgate-webhooks", "uid", "clientConfig.url: only the gate's own Service")


class TestRefusal:
    """S8: a ConfigMap that must not be applied."""

    def refused(self, bench: Bench) -> float | None:
        return bench.metrics.registry.get_sample_value("patchgate_webhooks_refused")

    def test_it_is_said_once_measured_listed_and_announced(self) -> None:
        bench = Bench([REFUSAL])
        bench.run(3)
        assert [json.loads(line)["why"] for line in bench.log.getvalue().splitlines()] == [str(REFUSAL)]
        assert (self.refused(bench), bench.armed) == (1, 0)
        assert bench.announced == [("patchgate-webhooks", str(REFUSAL))]
        assert [str(each) for each in bench.armer.list_problems()] == [f"patchgate-webhooks: not applied: {REFUSAL}"]

    def test_what_was_in_force_before_stays_armed(self) -> None:
        bench = Bench([["enforce.patchgate.io"], REFUSAL])
        bench.run(3)
        assert (self.refused(bench), bench.armed) == (1, 1)

    def test_it_ends_when_the_configmap_is_right_again(self) -> None:
        bench = Bench([REFUSAL, []])
        bench.run(3)
        assert (self.refused(bench), bench.armed) == (0, 1)
        assert bench.armer.list_problems() == ()

    def test_one_that_lasts_is_announced_again_after_an_hour(self) -> None:
        bench = Bench([REFUSAL], step=timedelta(hours=2))
        bench.run(6)
        assert len(bench.announced) >= 3

    def test_one_that_changes_all_the_time_is_announced_once_a_minute(self) -> None:
        others = [RefusedWebhooksError("patchgate-webhooks", "uid", f"fault {number}") for number in range(20)]
        bench = Bench([*others], step=timedelta(seconds=20))
        bench.run(20)
        assert 3 <= len(bench.announced) <= 5  # of 400 s the first 180 are an upgrade's

    def test_an_upgrade_is_no_event(self) -> None:
        bench = Bench([REFUSAL] * 8 + [[]], step=timedelta(seconds=20))
        bench.run(10)
        assert bench.announced == []

    def test_an_event_that_cannot_be_written_ends_nothing(self) -> None:
        bench = Bench([REFUSAL, REFUSAL, []], cannot_announce=True)
        bench.run(4)
        assert bench.said == [
            "the webhooks cannot be put in force; those that are stay so",
            "no Event could be written; all else goes on",
        ]
        assert bench.armed == 1
