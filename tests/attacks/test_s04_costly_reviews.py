"""S4: connections that repeat a review made to be costly: small reviews are answered in between."""

import pytest

from tests.attacks.asking import ANSWER_SECONDS, PROBE_SECONDS, ask_until, warm_up
from tests.attacks.attackers import start_attack
from tests.attacks.conftest import BASE, LimitedGateRunner
from tests.attacks.repeat_reviews import KINDS

CONNECTIONS = 64
REPEAT_SECONDS = 8


@pytest.mark.parametrize("kind", KINDS)
def test_costly_reviews_keep_no_small_one_waiting(run_limited: LimitedGateRunner, kind: str) -> None:
    with run_limited() as limited:
        gate = limited.gate
        base = warm_up(limited)
        with start_attack("repeat_reviews", gate.host, gate.port, CONNECTIONS, kind, REPEAT_SECONDS) as attack:
            reviews, probes = ask_until(gate, attack.is_over)
            answers = attack.count_answers()
        assert max(reviews) <= ANSWER_SECONDS
        assert max(probes) <= PROBE_SECONDS
        assert not [answer for answer in answers if answer.startswith("allowed=True")]
        assert answers["allowed=False uid=attack-1"] > 0
        gate.wait_until(lambda: limited.read_resident_bytes() <= BASE * base)
