"""Runs a gate on the demo's world for the cases: one for each set of arguments and policy that a case has."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from tests.cases.reading import ReviewCase, write_demo
from tests.conftest import Gate, GateRunner

FindGate = Callable[[ReviewCase], Gate]


@pytest.fixture(scope="session")
def find_gate(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[FindGate]:
    gates: dict[tuple[object, object], Gate] = {}
    with ExitStack() as running:

        def find(case: ReviewCase) -> Gate:
            key = (case.arguments, case.policy)
            if key not in gates:
                world = write_demo(tmp_path_factory.mktemp("demo"), datetime.now(UTC), case.policy)
                gates[key] = running.enter_context(self_signed(world, *case.arguments))
            return gates[key]

        yield find
