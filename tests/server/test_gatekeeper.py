"""`POST /v1/gatekeeper` as Gatekeeper's external_data calls it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.policy.decision import Scope
from patchgate.policy.verdict import Verdict
from patchgate.server.judge import OnError
from tests.conftest import API, API_PATCHED, FRONTEND, SHOP, WORKER, Answer, Gate, ask_app, make_doors, make_gate_app
from tests.world import clean, digest, exceptions, hours_ago, image_list, patched, records

APP = make_gate_app(*SHOP)
CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"


def provider_request(*keys: object) -> bytes:
    """What frameworks/constraint sends (pkg/externaldata/request.go); no key at all leaves the field out."""
    request = {"keys": list(keys)} if keys else {}
    body = {"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderRequest", "request": request}
    return json.dumps(body).encode()


def ask(*keys: object, app: Any = APP) -> Answer:  # noqa: ANN401 -- an ASGI application
    return ask_app(app, "POST", "/v1/gatekeeper", provider_request(*keys))


def items(*keys: object, app: Any = APP) -> list[dict[str, Any]]:  # noqa: ANN401 -- the same
    answer = ask(*keys, app=app)
    assert (answer.status, answer.json["kind"]) == (200, "ProviderResponse")
    assert answer.json["apiVersion"] == "externaldata.gatekeeper.sh/v1beta1"
    assert answer.json["response"].keys() == {"idempotent", "items"}
    found: list[dict[str, Any]] = answer.json["response"]["items"]
    return found


def key(image: str, **said: str) -> str:
    return json.dumps({"image": image, **said})


def test_each_key_gets_its_item_in_order_a_value_or_an_error(gate: Gate) -> None:
    keys = [WORKER, API, "busybox", API, "no image!"]
    answer = gate.ask("POST", "/v1/gatekeeper", json.loads(provider_request(*keys)))
    response = answer.json["response"]
    assert (answer.status, response["idempotent"]) == (200, True)
    assert [item["key"] for item in response["items"]] == keys
    assert [item.keys() - {"key"} for item in response["items"]] == [
        {"value"},
        {"error"},
        {"value"},
        {"error"},
        {"error"},
    ]


def test_a_denied_image_has_the_message_of_a_review_as_error() -> None:
    (item,) = items(API)
    use = f"{API_PATCHED}@"
    assert item["error"].startswith(f"{API}: a patched image is available; use {use}sha256:")


def test_an_image_that_may_run_has_its_verdict_as_value() -> None:
    (worker, other) = items(WORKER, "busybox")
    assert worker["value"].keys() == {"image", "allowed", "reason", "message", "use", "warnings"}
    assert (worker["value"]["allowed"], worker["value"]["reason"]) == (True, "WithinSla")
    assert worker["value"]["warnings"] == [f"{WORKER}: not approved yet; it will be refused in 23 h"]
    assert (other["value"]["reason"], other["value"]["warnings"]) == ("NotTracked", [])


@pytest.mark.parametrize("spelling", ["nginx:1.25", "docker.io/library/nginx:1.25", "INDEX.docker.io:443/nginx:1.25"])
def test_no_spelling_escapes(spelling: str) -> None:
    app = make_gate_app(
        image_list("nginx:1.25"), records({"docker.io/library/nginx:1.25": patched("docker.io/library/nginx:1.25-p")})
    )
    (item,) = items(spelling, app=app)
    assert "a patched image is available" in item["error"]


def test_a_key_of_json_says_where_the_image_is_to_run() -> None:
    excepted = exceptions(
        f"- {{image: '{FRONTEND}', namespaces: [shop], reason: soon, owner: a@b.c, expires: '{hours_ago(-48)}'}}\n"
    )
    app = make_gate_app(*SHOP, excepted)
    shop, elsewhere, unsaid = items(key(FRONTEND, namespace="shop"), key(FRONTEND, namespace="x"), FRONTEND, app=app)
    assert shop["value"]["reason"] == "Excepted"
    assert "not approved within" in elsewhere["error"]
    assert "not approved within" in unsaid["error"]


def test_a_key_of_json_says_the_pull_policy() -> None:
    image = "registry.example.com/shared/base:1"
    app = make_gate_app(image_list(image), records({image: clean(image, earlier_sources=[digest("before")])}))
    always, cached, unsaid = items(
        key(image, pullPolicy="Always"), key(image, pullPolicy="IfNotPresent"), image, app=app
    )
    assert always["value"]["reason"] == "Approved"
    assert "a node may hold an older copy" in cached["error"]
    assert (unsaid["value"]["reason"], len(unsaid["value"]["warnings"])) == ("CachedCopy", 2)


def test_a_key_of_json_says_who_creates_so_that_controllers_have_their_grace() -> None:
    app = make_gate_app(image_list(API), records({API: patched(API_PATCHED)}))
    controller, person = items(key(API, username=CONTROLLER), key(API, username="alice"), app=app)
    assert controller["value"]["reason"] == "PatchAvailable"
    assert "a controller may re-create it until" in controller["value"]["warnings"][0]
    assert "a patched image is available" in person["error"]


def test_the_scope_softens_what_controllers_make() -> None:
    out_of_grace = records({API: patched(API_PATCHED, patched=hours_ago(100))})
    app = make_gate_app(image_list(API), out_of_grace, scope=Scope.ROLLOUTS)
    controller, person = items(key(API, username=CONTROLLER), key(API, username="alice"), app=app)
    assert (controller["value"]["allowed"], controller["value"]["reason"]) == (True, "PatchAvailable")
    assert controller["value"]["warnings"]
    assert "a patched image is available" in person["error"]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "{",
        "{}",
        '{"image": 1}',
        '{"image": null}',
        '{"image": ""}',
        '{"image": "nginx", "namespace": 5}',
        '{"image": "nginx", "x": NaN}',
        '{"image": "nginx", "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '["nginx"]',
        '{"image": "{{}}"}',
        "{{",
        " nginx",
    ],
)
def test_a_key_that_names_no_image_is_denied_and_comes_back_as_it_was(wrong: str) -> None:
    (item,) = items(wrong)
    assert item["key"] == wrong
    assert "not an image reference" in item["error"]


def test_no_key_is_no_item() -> None:
    assert items() == []


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "the body ended early"),
        (b"[]", 400, "body: must be an object"),
        (b"{}", 400, "request: is missing"),
        (b'{"request": {"keys": "nginx"}}', 400, "request.keys: must be a list"),
        (b'{"request": {"keys": [1]}}', 400, "request.keys.0: must be a text"),
        (b'{"request": {"keys": null}}', 400, "request.keys: must be a list"),
        (b'{"request": null}', 400, "request: must be an object"),
        (b'{"request": {"keys": ["\xff"]}}', 400, "body: not UTF-8 at byte 23"),
        (b'{"request": {"keys": ["\\ud800"]}}', 400, "body: "),
        (b'{"x": ' + b"[" * 100_000, 400, "nested too deeply"),
        (b'{"request": {"keys": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}}", 400, "nested too deeply"),
        (provider_request(*["nginx"] * 1001), 413, "one request has at most 1000 keys"),
    ],
)
def test_what_cannot_be_read_is_a_system_error_and_no_item(body: bytes, status: int, text: str) -> None:
    answer = ask_app(APP, "POST", "/v1/gatekeeper", body)
    assert answer.status == status
    assert answer.json["response"]["systemError"].startswith(text)
    assert "items" not in answer.json["response"]


def test_a_packed_body_is_a_system_error() -> None:
    answer = ask_app(APP, "POST", "/v1/gatekeeper", provider_request(API), headers={"content-encoding": "gzip"})
    assert (answer.status, "Content-Encoding" in answer.json["response"]["systemError"]) == (415, True)


def test_a_gate_that_is_not_ready_says_so_in_a_shape_that_templates_look_at(cold_gate: Gate) -> None:
    answer = cold_gate.ask("POST", "/v1/gatekeeper", json.loads(provider_request("busybox")))
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["response"] == {
        "idempotent": True,
        "systemError": "not ready: the main image list has not been read yet",
    }


@pytest.mark.parametrize("on_error", OnError)
def test_a_defect_of_ours_is_a_system_error_whatever_reviews_get(on_error: OnError) -> None:
    def fail(*_: object) -> Verdict:
        raise ZeroDivisionError

    doors = make_doors(*SHOP, on_error=on_error, decide=fail)
    answer = ask_app(doors.main, "POST", "/v1/gatekeeper", provider_request(API))
    assert (answer.status, answer.json["response"].keys()) == (500, {"idempotent", "systemError"})
    assert answer.json["response"]["systemError"] == "patchgate failed to decide, its log says why"
    assert doors.count("patchgate_errors_total", where="decision") == 1


def test_each_key_is_counted() -> None:
    doors = make_doors(*SHOP)
    ask_app(doors.main, "POST", "/v1/gatekeeper", provider_request(API, "busybox", "alpine"))
    assert doors.count("patchgate_decisions_total", decision="deny", reason="PatchAvailable") == 1
    assert doors.count("patchgate_decisions_total", decision="allow", reason="NotTracked") == 2


@settings(max_examples=200)
@given(keys=st.lists(st.text('{}"image:/@\\ \n', max_size=20) | st.text(max_size=20), max_size=5))
def test_any_keys_come_back_just_as_they_were(keys: list[str]) -> None:
    found = items(*keys)
    assert [item["key"] for item in found] == keys
    assert all(item.get("error") or item["value"]["message"] for item in found)
