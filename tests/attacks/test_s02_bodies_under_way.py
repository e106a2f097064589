"""S2: connections that each hold all but the last byte of the largest review: the gate lives, answers, and shrinks."""

import os

import pytest

from tests.attacks.asking import ANSWER_SECONDS, PROBE_SECONDS, ask_until, warm_up
from tests.attacks.attackers import start_attack
from tests.attacks.conftest import BASE, LimitedGateRunner

CONNECTIONS = 200
HOLD_SECONDS = float(os.environ.get("ATTACK_SECONDS", "20"))
"""How long they hold; ATTACK_SECONDS=60 is what was promised."""


@pytest.mark.parametrize("addresses", [1, 64])
def test_bodies_that_never_end_neither_kill_the_gate_nor_keep_a_small_review_waiting(
    run_limited: LimitedGateRunner, addresses: int
) -> None:
    with run_limited() as limited:
        gate = limited.gate
        base = warm_up(limited)
        with start_attack("hold_bodies", gate.host, gate.port, CONNECTIONS, addresses, HOLD_SECONDS) as attack:
            reviews, probes = ask_until(gate, attack.is_over)
            answers = attack.count_answers()
        assert max(reviews) <= ANSWER_SECONDS
        assert max(probes) <= PROBE_SECONDS
        assert not [answer for answer in answers if answer.startswith("allowed=True")]
        assert answers["allowed=False uid=attack-1"] > 0
        gate.wait_until(lambda: limited.read_resident_bytes() <= BASE * base)
