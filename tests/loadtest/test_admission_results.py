"""Which ratio has which bar, and how the table reads."""

import pytest

from loadtest.admission.creates import Creates
from loadtest.admission.plan import AGAIN, GATE, KYVERNO, NONE, STATIC, Block
from loadtest.admission.results import Rounds, compare_main, compare_with, write_rounds
from loadtest.figure import Bar, Figure


def make(*p50: float, p99: float = 100.0) -> list[Creates]:
    return [Creates(1000, 500.0, each, p99) for each in p50]


def measure(clients: int, *gate: float, gate_p99: float = 100.0) -> dict[str, Figure]:
    sides = {
        NONE: make(8, 8, 8),
        STATIC: make(10, 10, 10),
        AGAIN: make(10, 10.5, 9.8),
        GATE: make(*gate, p99=gate_p99),
        KYVERNO: make(40, 40, 40, p99=200.0),
    }
    return {figure.what: figure for figure in compare_main(Rounds(Block(clients, 3, 4), sides))}


@pytest.mark.parametrize(
    ("gate", "is_met"), [((10.2, 10.4, 10.6), True), ((9, 9, 9), True), ((10.4, 10.6, 10.8), False)]
)
def test_the_gate_is_no_slower_than_static_bytes_within_the_noise(
    gate: tuple[float, float, float], is_met: bool
) -> None:
    figure = measure(16, *gate)["16 clients, p50: gate ÷ static bytes"]
    assert figure.bar == Bar(1.05)
    assert figure.is_met is is_met


@pytest.mark.parametrize(("gate_p99", "is_met"), [(140.0, True), (141.0, False)])
def test_the_gate_beside_kyverno(gate_p99: float, is_met: bool) -> None:
    figure = measure(50, 10, 10, 10, gate_p99=gate_p99)["50 clients, p99: gate ÷ Kyverno alone"]
    assert figure.bar == Bar(0.7)
    assert figure.is_met is is_met


@pytest.mark.parametrize(("clients", "barred"), [(1, 0), (16, 2), (50, 2), (200, 0)])
def test_16_and_50_clients_have_bars(clients: int, barred: int) -> None:
    assert sum(figure.bar is not None for figure in measure(clients, 10, 10, 10).values()) == barred


def test_kyverno_that_asks_is_compared_with_the_gate() -> None:
    rounds = Rounds(Block(1, 2, 3), {GATE: make(10, 10), "apiCall": make(30, 20)})
    (p50, p99) = compare_with(GATE, rounds)
    assert (p50.what, p50.value, p50.low, p50.high) == ("1 client, p50: apiCall ÷ gate", 2.5, 2.0, 3.0)
    assert p99.value == 1.0


def test_the_table_has_a_line_a_side() -> None:
    dry, written = Rounds(Block(1, 2, 3), {GATE: make(10, 12)}), Rounds(Block(16, 1, 3, is_dry=False), {GATE: make(10)})
    lines = write_rounds([dry, written]).strip().splitlines()[2:]
    assert lines == [
        "| 1 | gate | 500 | 11.0 | 10.0 - 12.0 | 100.0 | 100.0 - 100.0 |",
        "| 16, written | gate | 500 | 10.0 | 10.0 - 10.0 | 100.0 | 100.0 - 100.0 |",
    ]
