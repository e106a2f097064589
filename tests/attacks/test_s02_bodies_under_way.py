"""S2: connections that each hold all but the last byte of the largest review: the gate lives, answers, and shrinks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.attacks.asking import ANSWER_SECONDS, ask_until
from tests.attacks.conftest import LimitedGateRunner
from tests.conftest import START_SECONDS, Gate, read_recorded
from tests.die_with_parent import die_with_parent

CONNECTIONS = 200
HOLD_SECONDS = float(os.environ.get("ATTACK_SECONDS", "20"))
"""How long they hold; ATTACK_SECONDS=60 is what was promised."""
BASE = 1.25
"""Resident memory after the attack ÷ before it."""


@contextmanager
def attack(gate: Gate, addresses: int) -> Iterator["subprocess.Popen[str]"]:
    words = [gate.host, gate.port, CONNECTIONS, addresses, HOLD_SECONDS]
    command = [*die_with_parent(), sys.executable, "-m", "tests.attacks.hold_bodies", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attackers:
        assert attackers.stdout
        assert attackers.stdout.readline() == "begun\n"
        yield attackers
        attackers.kill()


@pytest.mark.parametrize("addresses", [1, 64])
def test_bodies_that_never_end_neither_kill_the_gate_nor_keep_a_small_review_waiting(
    run_limited: LimitedGateRunner, addresses: int
) -> None:
    with run_limited() as limited:
        gate = limited.gate
        for _ in range(20):
            gate.review(read_recorded("pod-create"))
        base = limited.read_resident_bytes()
        with attack(gate, addresses) as attackers:
            seconds = ask_until(gate, lambda: attackers.poll() is not None)
            assert attackers.stdout
            answers = json.loads(attackers.stdout.read())
        assert max(seconds) <= ANSWER_SECONDS
        assert not [answer for answer in answers if answer.startswith("allowed=True")]
        assert answers["allowed=False uid=attack-1"] > 0
        gate.wait_until(lambda: limited.read_resident_bytes() <= BASE * base, seconds=START_SECONDS)
