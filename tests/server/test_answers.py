"""What an answer to an AdmissionReview holds at the most, whatever was asked: what kube-apiserver and people take."""

import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.limits import ANSWER_BYTES, UID_CHARACTERS
from tests.conftest import API, API_PATCHED, WORKER, ask_app, change, make_gate_app
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


@settings(max_examples=300, deadline=None)
@given(images=LISTS, mode=st.sampled_from(["enforce", "warn", "audit"]), uid=UIDS, name=st.text(max_size=300))
def test_an_answer_is_small_whole_and_takeable_whatever_was_asked(
    images: list[str], mode: str, uid: str, name: str
) -> None:
    containers = [{"name": "c", "image": image} for image in images]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}
    body = json.dumps(change("pod-create", uid=uid, object=pod)).encode()
    answer = ask_app(APP, "POST", f"/validate/{mode}", body, headers={"Content-Type": "application/json"})
    response = answer.json["response"]
    assert (answer.status, response["uid"]) == (200, uid)
    assert len(answer.body) <= ANSWER_BYTES
    assert response.keys() <= {"uid", "allowed", "status", "warnings", "auditAnnotations"}
    assert ("status" in response) is not response["allowed"]
    warnings: list[str] = response.get("warnings", [])
    assert [line for line in warnings if not 0 < len(line) <= 120] == []
    assert {unicodedata.category(each) for each in "".join(warnings)}.isdisjoint({"Cc", "Zl", "Zp"})
    assert sum(map(len, warnings)) <= 4096
    assert (mode, warnings) == ("audit", []) or mode != "audit"
