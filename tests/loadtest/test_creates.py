"""What wrk prints when it has created Pods: figures, or an error where not all were created."""

import json

import pytest

from loadtest.admission.creates import Creates, read_creates
from loadtest.servers import ServerError

SEEN = {"created": 900, "seconds": 3.0, "p50": 12_500, "p99": 31_000, "refused": 0, "broken": 0, "said": ""}


def test_the_last_line_has_the_figures() -> None:
    out = f"Running 3s test\n{json.dumps(SEEN)}\n"
    assert read_creates("shop", out) == Creates(900, 300.0, 12.5, 31.0)


@pytest.mark.parametrize("fault", [{"refused": 1, "said": "403 denied"}, {"broken": 1}, {"created": 0}])
def test_a_pod_that_was_not_created_is_an_error(fault: dict[str, object]) -> None:
    with pytest.raises(ServerError, match="not every Pod was created in shop"):
        read_creates("shop", json.dumps(SEEN | fault))


@pytest.mark.parametrize("out", ["", "Running 3s test\n"])
def test_wrk_that_says_nothing_is_an_error(out: str) -> None:
    with pytest.raises(ServerError, match=r"created nothing in shop: (?s:.*)unable to connect"):
        read_creates("shop", out, "unable to connect")
