"""What is reported of callers without an accepted certificate: bounded, and no busy caller hides another for long."""

import io
import json
import ssl
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from patchgate.gate.log import make_log
from patchgate.metrics import CALLER_FAULTS, GateMetrics
from patchgate.server.callers import CALLERS_SHOWN, LOG_SECONDS, REPORTED_SECONDS, CallerCheck, ClientAuth, Fault
from tests.world import NOW


class Site:
    """A check with a clock of its own."""

    def __init__(self, auth: ClientAuth = ClientAuth.OBSERVE, *names: str) -> None:
        self.now, self.stream = NOW, io.StringIO()
        metrics = GateMetrics(CollectorRegistry())
        self.check = CallerCheck(auth, frozenset(names), lambda: self.now, metrics, make_log(self.stream))

    @property
    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def problems(self) -> list[str]:
        return [str(each) for each in self.check.list_problems()]


def test_the_last_addresses_of_each_fault_are_shown_and_kept_apart() -> None:
    site = Site()
    site.check.note(Fault.NAME, "10.0.0.1")
    for number in range(1000):
        site.check.note(Fault.NONE, f"10.1.0.{number}")
    first, second = site.problems
    assert "of another name and was answered" in first
    assert first.endswith(", from 10.0.0.1")
    assert second.count("10.1.0.") == CALLERS_SHOWN
    assert "10.1.0.999" in second


def test_the_log_tells_of_a_fault_again_after_a_while_and_no_oftener() -> None:
    site = Site()
    for _ in range(1000):
        site.check.note(Fault.NONE, "10.0.0.1")
    assert len(site.logged) == 1
    site.now += timedelta(seconds=LOG_SECONDS)
    site.check.note(Fault.NONE, "10.0.0.2")
    assert site.logged[1]["addresses"] == ["10.0.0.2", "10.0.0.1"]


def test_what_is_long_ago_is_shown_no_more() -> None:
    site = Site()
    site.check.note(Fault.NONE, "10.0.0.1")
    site.now += timedelta(seconds=REPORTED_SECONDS + 1)
    assert site.problems == []


def test_a_handshake_that_fails_is_never_answered_and_has_no_address() -> None:
    site = Site()
    site.check.note(Fault.UNTRUSTED)
    (problem,) = site.problems
    assert "does not verify and was refused" in problem
    assert ", from" not in problem


class Shown(ssl.SSLObject):
    """The other side of a connection, with this certificate."""

    def __init__(self, certificate: bytes) -> None:
        self.certificate = certificate

    def getpeercert(self, binary_form: bool = False) -> Any:  # noqa: ANN401, FBT002 -- as ssl has it
        assert binary_form
        return self.certificate


def test_a_certificate_that_cannot_be_understood_has_another_name() -> None:
    assert Site(ClientAuth.REQUIRE, "a").check.find_fault(Shown(b"no certificate")) is Fault.NAME


def test_each_fault_of_a_caller_is_a_series_from_the_start() -> None:
    assert set(CALLER_FAULTS) == set(Fault)
