"""SOAK.md: what is compared with what, and what misses a bar."""

import os

import pytest

from loadtest.servers import ServerError
from loadtest.soak.tally import Tally
from loadtest.soak.watch import (
    Sample,
    count_descriptors,
    count_threads,
    draw_curve,
    find_base_seconds,
    find_memory,
    sum_metrics,
)
from loadtest.soak.write import Soak

METRICS = """# TYPE patchgate_reviews_total counter
patchgate_reviews_total{mode="enforce",allowed="True"} 5.0
patchgate_reviews_total{mode="warn",allowed="True"} 2.0
patchgate_reviews_total{mode="enforce",allowed="False"} 3.0
# TYPE patchgate_snapshots_total counter
patchgate_snapshots_total 4.0
# TYPE patchgate_errors_total counter
patchgate_errors_total{where="review"} 0.0
# TYPE python_info gauge
python_info 1.0
"""


def steady(seconds: int, mebibytes: float = 300) -> list[Sample]:
    return [Sample(second, mebibytes) for second in range(seconds)]


def soak(samples: list[Sample], **fields: object) -> Soak:
    made = Soak(len(samples), samples, [("review", 1000, 0)], metrics=sum_metrics(METRICS))
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def missed(made: Soak) -> list[str]:
    return [figure.what for figure in made.list_figures() if not figure.is_met]


def test_the_end_is_compared_with_two_minutes_after_the_beginning() -> None:
    assert find_base_seconds(20 * 60) == 120
    assert find_base_seconds(3 * 60) == 90


def test_memory_at_a_moment_is_the_median_of_the_seconds_before() -> None:
    samples = [Sample(second, 900 if second == 115 else 300 + second) for second in range(200)]
    assert find_memory(samples, 120) == 415.5 + 0.5
    with pytest.raises(ValueError, match="no sample"):
        find_memory(samples, 500)


def test_what_does_not_grow_misses_nothing() -> None:
    assert missed(soak(steady(600))) == []


def test_memory_that_grows_is_missed() -> None:
    grown = [Sample(second, 300 + second / 10) for second in range(600)]
    assert missed(soak(grown)) == ["resident, at the end ÷ after two minutes"]


def test_a_failure_is_missed_and_told_with_its_answer() -> None:
    made = soak(steady(600), rows=[("review", 1000, 1)], complaints=["review: got 500 b'`'"])
    assert missed(made) == ["failures"]
    assert "- `review: got 500 b'''`\n" in made.write("2026-01-02", "a machine")


def test_an_error_that_the_gate_counted_is_missed() -> None:
    assert missed(soak(steady(600), metrics={'patchgate_errors{where="review"}': 2})) == [
        "errors that the gate counted"
    ]


def test_the_curve_has_a_point_every_half_minute() -> None:
    assert draw_curve(steady(100)) == [Sample(30, 300), Sample(60, 300), Sample(90, 300)]
    assert draw_curve([]) == []
    assert soak(steady(100)).make_plot().lines[0].x == [0.5, 1.0, 1.5]


def test_counters_are_summed_by_what_tells_them_apart() -> None:
    assert sum_metrics(METRICS) == {
        'patchgate_reviews{allowed="True"}': 7,
        'patchgate_reviews{allowed="False"}': 3,
        "patchgate_snapshots": 4,
        'patchgate_errors{where="review"}': 0,
    }


def test_metrics_without_the_counter_of_errors_are_no_metrics_without_errors() -> None:
    with pytest.raises(ServerError, match="no patchgate_errors"):
        sum_metrics(METRICS.replace("patchgate_errors", "patchgate_mistakes"))


def test_failures_are_counted_by_kind_and_the_first_are_told() -> None:
    tally = Tally()
    for number in range(100):
        tally.note("review", f"answer {number}" if number % 2 else "")
    tally.note("page")
    assert (tally.asked, tally.failures) == (101, 50)
    assert tally.list_rows() == [("page", 1, 0), ("review", 100, 50)]
    assert tally.list_complaints()[:2] == ["review: answer 1", "review: answer 3"]
    assert len(tally.list_complaints()) == 40


def test_descriptors_and_threads_of_a_process_are_counted() -> None:
    before = count_descriptors(os.getpid())
    with open(os.devnull, "rb"):  # noqa: PTH123 -- a descriptor, no path
        assert count_descriptors(os.getpid()) == before + 1
    assert count_threads(os.getpid()) >= 1
