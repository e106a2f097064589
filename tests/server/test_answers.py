"""What an answer to an AdmissionReview holds at the most, whatever was asked: what kube-apiserver and people take."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.limits import ANSWER_BYTES, UID_CHARACTERS
from tests.conftest import API, API_PATCHED, WORKER, Answer, ask_app, change, make_gate_app
from tests.world import exceptions, hours_ago, image_list, patched, record, records

BLOATED = exceptions(
    json.dumps(
        [
            {
                "image": f"registry.example.com/excepted/{number}",
                "reason": '"\\' * 500,
                "owner": "ü\u2028😀" * 100,
                "expires": hours_ago(-24),
            }
            for number in range(20)
        ]
    )
)
APP = make_gate_app(
    image_list(API, WORKER, unlisted="deny"),
    records({API: patched(API_PATCHED), WORKER: record(message='\\"{{ü' * 400)}),
    BLOATED,
)
NAMES = st.sampled_from([API, WORKER]) | st.sampled_from([f"registry.example.com/excepted/{n}" for n in range(20)])
IMAGES = (
    NAMES
    | st.text(max_size=300)
    | st.text('"\\\u0001😀', min_size=200, max_size=2000)
    | st.builds("{}{}".format, NAMES, st.text(max_size=99))
)
LISTS = st.lists(IMAGES, max_size=30) | st.integers(0, 1100).map(
    lambda many: [f"{API}-{number}" for number in range(many)]
)
UIDS = st.text(min_size=1, max_size=UID_CHARACTERS) | st.text("\u0001😀", min_size=200, max_size=UID_CHARACTERS)


def ask(uid: str, images: list[str], mode: str, name: str = "web") -> tuple[Answer, dict[str, Any]]:
    """The answer, and the response in it."""
    containers = [{"name": "c", "image": image} for image in images]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}
    body = json.dumps(change("pod-create", uid=uid, object=pod)).encode()
    answer = ask_app(APP, "POST", f"/validate/{mode}", body, headers={"Content-Type": "application/json"})
    return answer, answer.json["response"]


@settings(max_examples=150)
@given(images=LISTS, mode=st.sampled_from(["enforce", "warn", "audit"]), uid=UIDS, name=st.text(max_size=300))
def test_an_answer_is_small_whole_and_takeable_whatever_was_asked(
    images: list[str], mode: str, uid: str, name: str
) -> None:
    answer, response = ask(uid, images, mode, name)
    assert (answer.status, response["uid"]) == (200, uid)
    assert len(answer.body) <= ANSWER_BYTES
    assert response.keys() <= {"uid", "allowed", "status", "warnings", "auditAnnotations"}
    assert ("status" in response) is not response["allowed"]
    warnings: list[str] = response.get("warnings", [])
    assert [line for line in warnings if not 0 < len(line) <= 120] == []
    assert {unicodedata.category(each) for each in "".join(warnings)}.isdisjoint({"Cc", "Zl", "Zp"})
    assert sum(map(len, warnings)) <= 4096
    assert (mode, warnings) == ("audit", []) or mode != "audit"


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_an_answer_that_would_be_too_large_keeps_its_verdict_and_how_its_message_begins(mode: str) -> None:
    images = [
        *(f"registry.example.com/excepted/{number}" for number in range(20)),
        *('"\\' * n for n in range(300, 330)),
    ]
    answer, response = ask("\u0001" * UID_CHARACTERS, images, mode)
    assert len(answer.body) <= ANSWER_BYTES
    assert response["allowed"] is (mode != "enforce")
    if mode == "enforce":
        assert response.keys() == {"uid", "allowed", "status"}
        assert response["status"]["reason"] == "InvalidReference"
        assert response["status"]["message"].startswith('"\\"\\')
