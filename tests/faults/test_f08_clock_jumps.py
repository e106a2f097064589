"""F8: the machine's clock jumps. Forward, what is too old is denied; backward, no denial is undone in silence."""

from datetime import timedelta

import pytest

from tests.conftest import API_PATCHED, FRONTEND, NGINX_BASE, WORKER
from tests.faults.conftest import Composed, ComposedRunner

AHEAD = timedelta(hours=49.5)
"""Longer than the SLA of a day."""


def reason(composed: Composed, image: str) -> str:
    return str(composed.gate.ask("POST", "/v1/decisions", {"images": [image]}).json["reason"])


def problems(composed: Composed) -> list[str]:
    lines = composed.gate.ask("GET", "/readyz?verbose").text.splitlines()
    return [line for line in lines if "clock" in line]


def test_a_jump_forward_breaches_an_sla_and_a_jump_back_does_not_mend_it_in_silence(
    run_composed: ComposedRunner,
) -> None:
    with run_composed() as composed:
        gate = composed.gate
        assert (reason(composed, WORKER), problems(composed)) == ("WithinSla", [])
        assert gate.metric("patchgate_clock_behind_seconds") == 0
        composed.set_clock(AHEAD)
        assert (reason(composed, WORKER), problems(composed)) == ("SlaBreached", [])
        composed.set_clock(timedelta())
        assert reason(composed, WORKER) == "SlaBreached"
        said = "was put back by 2 d 1 h; time goes on from where it was: restart the gate once that clock is right"
        assert problems(composed) == [f"problem: the machine's clock: {said}"]
        assert gate.metric("patchgate_clock_behind_seconds") == pytest.approx(AHEAD.total_seconds(), abs=1)
        gate.wait_until(lambda: bool(gate.events("the clock does not count")))
        composed.set_clock(timedelta(days=-30))
        assert reason(composed, WORKER) == "SlaBreached"
        assert gate.ask("GET", "/readyz").status == 200
        composed.set_clock(AHEAD)
        gate.wait_until(lambda: bool(gate.events("the clock counts again")))
        assert (len(gate.events("the clock does not count")), problems(composed)) == (1, [])
    with run_composed() as composed:  # the way out
        assert (reason(composed, WORKER), problems(composed)) == ("WithinSla", [])


def test_a_small_step_back_changes_nothing_and_is_not_worth_a_word(run_composed: ComposedRunner) -> None:
    with run_composed() as composed:
        composed.set_clock(timedelta(minutes=-4))
        reasons = [reason(composed, image) for image in (API_PATCHED, FRONTEND, NGINX_BASE, WORKER)]
        assert reasons == ["Approved", "SlaBreached", "Approved", "WithinSla"]
        assert problems(composed) == []
        assert composed.gate.metric("patchgate_clock_behind_seconds") > 0
