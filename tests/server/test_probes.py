"""Liveness and readiness, as the kubelet and a person with a question ask for them."""

import pytest

from patchgate.policy.part import Problem
from tests.conftest import SHOP, Gate, ask_app, make_gate_app
from tests.world import exceptions, hours_ago, image_list, records, team_list


def test_a_gate_with_a_list_is_alive_and_ready(gate: Gate) -> None:
    assert [(answer.status, answer.text) for answer in (gate.ask("GET", "/livez"), gate.ask("GET", "/readyz"))] == [
        (200, "ok\n"),
        (200, "ok\n"),
    ]


def test_a_gate_without_a_list_is_alive_and_not_ready(cold_gate: Gate) -> None:
    assert cold_gate.ask("GET", "/livez").status == 200
    answer = cold_gate.ask("GET", "/readyz")
    assert (answer.status, answer.text) == (503, "not ready\n")


def test_verbose_readiness_of_a_running_gate_lists_parts_ages_and_bad_lines(gate: Gate) -> None:
    answer = gate.ask("GET", "/readyz?verbose")
    assert answer.status == 200
    lines = answer.text.splitlines()
    assert lines.pop(3).startswith("copa-patched-digests: 4 records, generation 1, last run 1 h ")
    assert lines.pop().startswith("problem: copa-image-list: line 6: 'registry.example.com/no tag here': has a space ")
    assert lines == [
        "ok",
        "copa-image-list: 5 lines, 6 repositories, with the policy",
        "copa-exceptions: 1 exceptions",
        "problems: 1",
    ]


def test_verbose_readiness_before_the_first_list_says_what_is_missing(cold_gate: Gate) -> None:
    answer = cold_gate.ask("GET", "/readyz?verbose")
    assert answer.status == 503
    assert answer.text.splitlines() == [
        "not ready",
        "not ready: the main image list has not been read",
        "problems: 0",
    ]


def test_verbose_readiness_before_the_first_snapshot_says_the_same() -> None:
    problem = Problem("list.yaml", "", "cannot be read: not YAML")
    answer = ask_app(make_gate_app(source_problems=(problem,)), "GET", "/readyz?verbose")
    assert answer.status == 503
    assert answer.text.splitlines() == [
        "not ready",
        "not ready: the main image list has not been read",
        "problems: 1",
        "problem: list.yaml: cannot be read: not YAML",
    ]


def test_records_alone_do_not_make_a_gate_ready() -> None:
    answer = ask_app(make_gate_app(SHOP[1], team_list("registry.example.com/team/app:1")), "GET", "/readyz")
    assert answer.status == 503


def test_verbose_readiness_says_it_when_no_patcher_has_run_and_what_has_expired() -> None:
    expires = hours_ago(1)  # 11:00
    expired = f"- {{image: docker.io/library/nginx, reason: audit, owner: ops@example.com, expires: '{expires}'}}\n"
    app = make_gate_app(image_list(), team_list("nginx:1"), records(last_run=None), exceptions(expired))
    assert ask_app(app, "GET", "/readyz?verbose").text.splitlines() == [
        "ok",
        "copa-image-list: 0 lines, 0 repositories, with the policy",
        "copa-exceptions: 1 exceptions",
        "copa-patched-digests: 0 records, generation 1, no run yet",
        "team-images: 1 lines, 1 repositories",
        "problems: 1",
        "problem: copa-exceptions: docker.io/library/nginx: expired at 2026-05-09T11:00:00Z",
    ]


@pytest.mark.parametrize("text", ["a\nproblem: b", "a\x1b[31m", "a\u202eb"])
def test_a_problem_is_one_printable_line(text: str) -> None:
    app = make_gate_app(image_list(), source_problems=(Problem(text, "", text * 1000),))
    lines = ask_app(app, "GET", "/readyz?verbose").text.splitlines()
    assert len(lines) == 4
    assert lines[3].isprintable()
    assert len(lines[3]) <= 2010
