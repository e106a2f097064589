"""What lies beside the doors: an unknown path and a wrong method get JSON that no caller can take for leave."""

import pytest

from tests.conftest import Gate


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/v1"), ("POST", "/v1/decision"), ("POST", "/v1/decisions/"), ("GET", "/readyz/")],
)
def test_an_unknown_path_is_not_found_and_never_redirected(gate: Gate, method: str, path: str) -> None:
    answer = gate.ask(method, path, {"images": ["busybox"]} if method == "POST" else None)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert "location" not in answer.headers
    assert answer.json == {"allowed": False, "reason": "NotFound", "message": "Not Found", "images": []}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/decisions", "POST"),
        ("PUT", "/v1/decisions", "POST"),
        ("POST", "/v1/catalog", "GET"),
        ("POST", "/livez", "GET"),
        ("DELETE", "/readyz", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(gate: Gate, method: str, path: str, allow: str) -> None:
    answer = gate.ask(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "allowed": False,
        "reason": "MethodNotAllowed",
        "message": "Method Not Allowed",
        "images": [],
    }
