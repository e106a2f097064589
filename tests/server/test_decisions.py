"""`POST /v1/decisions` as Kyverno, scripts and people call it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.policy.decision import Scope
from tests.conftest import (
    API,
    API_DIGEST,
    API_PATCHED,
    FRONTEND,
    NGINX_BASE,
    SHOP,
    WORKER,
    Answer,
    Gate,
    ask_app,
    change,
    make_gate_app,
)
from tests.world import clean, digest, hours_ago, image_list, patched, records

GIVE_ONE = "give either images (a list of strings, or Kyverno's map) or object"
APP = make_gate_app(*SHOP)
CONTROLLER = {"username": "system:serviceaccount:kube-system:replicaset-controller"}
DIGEST_ONLY = f"registry.example.com/myapp/api@{API_DIGEST}"


def kyverno_image(registry: str, path: str, tag: str, digest: str = "") -> dict[str, str]:
    """An item as Kyverno 1.19 makes it (pkg/utils/api/image.go): the reference of a digest leaves out the tag."""
    name = f"{registry}/{path}" if registry else path
    return {
        "registry": registry,
        "path": path,
        "name": path.rpartition("/")[2],
        "tag": tag,
        "digest": digest,
        "reference": f"{name}@{digest}" if digest else f"{name}:{tag}",
        "referenceWithTag": f"{name}:{tag}",
        "jsonPointer": "/spec/containers/0/image",
    }


def pod(*images: str, namespace: str | None = None) -> dict[str, Any]:
    spec = {"containers": [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": namespace}, "spec": spec}


def ask(body: object) -> Answer:
    answer = ask_app(APP, "POST", "/v1/decisions", json.dumps(body).encode())
    assert answer.status == 200, answer.text
    return answer


def test_a_list_of_images_is_decided_one_by_one_in_order(gate: Gate) -> None:
    images = [WORKER, API, "busybox", API, "no image!", DIGEST_ONLY]
    answer = gate.ask("POST", "/v1/decisions", {"images": images, "namespace": "shop"})
    assert answer.status == 200
    assert answer.json.keys() == {"allowed", "reason", "message", "images"}
    assert (answer.json["allowed"], answer.json["reason"]) == (False, "PatchAvailable")
    assert [(item["image"], item["allowed"], item["reason"]) for item in answer.json["images"]] == [
        (WORKER, True, "WithinSla"),
        (API, False, "PatchAvailable"),
        ("busybox", True, "NotTracked"),
        (API, False, "PatchAvailable"),
        ("no image!", False, "InvalidReference"),
        (DIGEST_ONLY, True, "Approved"),
    ]


def test_a_denied_image_says_what_to_use() -> None:
    answer = ask({"images": [API]}).json
    assert answer["message"] == f"{API}: a patched image is available; use {API_PATCHED}@{API_DIGEST}"
    assert answer["images"][0] == {
        "image": API,
        "allowed": False,
        "reason": "PatchAvailable",
        "message": answer["message"],
        "use": f"{API_PATCHED}@{API_DIGEST}",
        "warnings": [f"{API}: a patched image is available", f"use registry.example.com/myapp/api@{API_DIGEST}"],
    }


def test_a_long_image_is_shown_with_its_whole_digest_as_kyvernos_policies_look_for_it() -> None:
    long = f"registry.example.com/myapp/api:1.4.2-{'x' * 110}@{API_DIGEST}"
    (item,) = ask({"images": [long]}).json["images"]
    assert (item["reason"], len(item["image"])) == ("Approved", 200)
    assert item["image"].startswith("registry.example.com/myapp/api:1.4.2-xxx")
    assert item["image"].endswith(f"x…@{API_DIGEST}")


def test_an_allowed_image_may_carry_a_warning() -> None:
    answer = ask({"images": [WORKER]}).json
    item = answer["images"][0]
    assert (answer["allowed"], answer["reason"], answer["message"]) == (True, "WithinSla", "the image may run")
    assert item["warnings"] == [item["message"]] == [f"{WORKER}: not approved yet; it will be refused in 23 h"]
    assert item["use"] is None


def test_the_images_map_of_kyverno_is_decided_group_by_group(gate: Gate) -> None:
    images = {
        "initContainers": {"wait": kyverno_image("docker.io", "busybox", "1.37")},
        "containers": {
            "api": kyverno_image("registry.example.com", "myapp/api", "", API_DIGEST),
            "both": kyverno_image("registry.example.com", "myapp/api", "1.4.2", API_DIGEST),
            "bare": kyverno_image("", "nginx", "1.25"),
            "hub": kyverno_image("docker.io", "nginx", "1.25"),
        },
        "ephemeralContainers": {"debug": kyverno_image("registry.example.com", "myapp/api", "1.4.2")},
    }
    answer = gate.ask("POST", "/v1/decisions", {"images": images, "namespace": "shop", "mode": "patched"})
    assert answer.status == 200
    assert [(item["image"], item["reason"]) for item in answer.json["images"]] == [
        ("docker.io/busybox:1.37", "NotTracked"),
        (DIGEST_ONLY, "Approved"),
        (DIGEST_ONLY, "Approved"),
        ("nginx:1.25", "Unscanned"),
        ("docker.io/nginx:1.25", "Unscanned"),
        (API, "PatchAvailable"),
    ]


@pytest.mark.parametrize(
    ("item", "image"),
    [
        ({"registry": "registry.example.com", "path": "myapp/api", "tag": "1.4.2"}, API),
        ({"registry": "registry.example.com", "path": "myapp/api", "digest": API_DIGEST}, DIGEST_ONLY),
        ({"registry": "", "path": "nginx", "tag": "1.25"}, "nginx:1.25"),
        ({"path": "nginx"}, "nginx"),
        ({}, ""),
    ],
)
def test_an_item_without_a_reference_is_put_together_from_its_parts(item: dict[str, str], image: str) -> None:
    answer = ask({"images": {"containers": {"a": item}}})
    assert [found["image"] for found in answer.json["images"]] == [image]


@pytest.mark.parametrize("body", [{"images": []}, {"images": {}}, {"images": {"containers": {}}}, {"object": None}])
def test_nothing_to_judge_is_allowed_and_says_so(gate: Gate, body: object) -> None:
    answer = gate.ask("POST", "/v1/decisions", body)
    assert answer.status == 200
    assert answer.json == {"allowed": True, "reason": "NoImages", "message": "no image to judge", "images": []}


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_any_or_no_content_type_is_taken(gate: Gate, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = gate.ask("POST", "/v1/decisions", {"images": ["busybox"]}, headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, GIVE_ONE),
        ({"images": None}, GIVE_ONE),
        ({"namespace": "shop"}, GIVE_ONE),
        ({"images": ["busybox"], "object": pod(API)}, GIVE_ONE),
        ({"object": "web"}, "object: must be an object"),
        ({"object": pod(), "oldObject": []}, "oldObject: must be an object"),
        ({"images": [], "namespace": 5}, "namespace: must be a text"),
        ({"object": None, "userInfo": "alice"}, "userInfo: must be an object"),
        ({"images": ["busybox"], "oldObject": 5}, "oldObject: must be an object"),
        (["busybox"], "body: must be an object"),
        ({"images": [5]}, "images.0: must be a text"),
        ({"images": "busybox"}, "images: must be a list"),
        ({"images": {"containers": 5}}, "images.containers: must be an object"),
        ({"images": {"containers": {"web": {"reference": None}}}}, "images.containers.web.reference: must be a text"),
        ({"object": pod() | {"spec": {"volumes": [{}, []]}}}, "Pod: spec.volumes.1: must be an object"),
        ({"object": {"kind": ["Pod"]}}, "an object has a kind and an apiVersion, and both are texts"),
    ],
)
def test_a_question_that_asks_nothing_or_two_things_is_a_bad_request(gate: Gate, body: object, message: str) -> None:
    answer = gate.ask("POST", "/v1/decisions", body)
    assert answer.status == 400
    assert answer.json == {"allowed": False, "reason": "BadRequest", "message": message, "images": []}


@pytest.mark.parametrize(
    "body",
    [
        {"images": "busybox"},
        {"images": [5]},
        {"images": {"containers": ["busybox"]}},
        {"images": {"containers": {"{{ name }}": 5}}},
        {"images": {"containers": {"a": {"reference": 5}}}},
        {"object": {"apiVersion": "v1", "kind": "Pod", "spec": 5}},
        {"object": {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [5]}}},
        {"object": {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": {"{{": 5}}}},
        {"object": pod(), "oldObject": {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": 5}}},
    ],
)
def test_what_cannot_be_read_is_a_bad_request_without_internal_names(gate: Gate, body: object) -> None:
    answer = gate.ask("POST", "/v1/decisions", body)
    assert (answer.status, answer.json["allowed"]) == (400, False)
    internal = ["Traceback", "instance of", "pydantic", "list[", "dict[", "_Kyverno", "Sequence", "{{"]
    assert [name for name in internal if name in answer.text] == []


@pytest.mark.parametrize(
    ("question", "reasons"),
    [
        ({"object": pod(API)}, ["PatchAvailable"]),
        ({"object": pod(API, API)}, ["PatchAvailable"]),
        ({"object": pod(API), "oldObject": pod(WORKER)}, ["PatchAvailable"]),
        ({"object": pod(API), "oldObject": pod(API)}, []),
        ({"object": pod(API), "oldObject": pod(API), "operation": "CREATE"}, ["PatchAvailable"]),
        ({"object": pod(API), "operation": "BACKGROUND"}, ["PatchAvailable"]),
        ({"object": pod(API), "operation": "DELETE"}, []),
        ({"object": None, "oldObject": pod(API), "operation": "DELETE"}, []),
        ({"object": pod(FRONTEND, namespace="staging")}, ["Excepted"]),
        ({"object": pod(FRONTEND, namespace="staging"), "namespace": "shop"}, ["SlaBreached"]),
        ({"object": pod(FRONTEND), "namespace": "staging"}, ["Excepted"]),
        ({"object": {"apiVersion": "v1", "kind": "Pod", "spec": pod(FRONTEND)["spec"]}}, ["SlaBreached"]),
        ({"object": {"apiVersion": "example.com/v1", "kind": "Widget", "spec": 5}}, []),
        (
            {
                "object": {"apiVersion": "v1", "kind": "Pod"},
                "oldObject": {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"containers": 5}},
            },
            [],
        ),
    ],
)
def test_an_object_is_judged_as_a_review_would_be(question: object, reasons: list[str]) -> None:
    assert [item["reason"] for item in ask(question).json["images"]] == reasons


@pytest.mark.parametrize(("user", "allowed"), [(CONTROLLER, True), ({"username": "alice"}, False), (None, False)])
def test_a_built_in_controller_has_the_grace_of_a_rollout(user: object, allowed: bool) -> None:
    answer = ask({"object": pod(API), "userInfo": user})
    assert (answer.json["allowed"], answer.json["reason"]) == (allowed, "PatchAvailable")


@pytest.mark.parametrize(("pull_policy", "reason"), [("Always", "Approved"), ("IfNotPresent", "CachedCopy")])
def test_the_pull_policy_of_an_object_counts(pull_policy: str, reason: str) -> None:
    record = clean(NGINX_BASE, earlier_sources=[digest("old")])
    app = make_gate_app(image_list(NGINX_BASE), records({NGINX_BASE: record}))
    workload = pod(NGINX_BASE)
    workload["spec"]["containers"][0]["imagePullPolicy"] = pull_policy
    answer = ask_app(app, "POST", "/v1/decisions", json.dumps({"object": workload}).encode())
    assert answer.json["reason"] == reason


@pytest.mark.parametrize(
    ("scope", "denied"),
    [
        (Scope.ALL, ["rollout", "template", "Pod"]),
        (Scope.ROLLOUTS, ["template", "Pod"]),
        (Scope.PODS, ["rollout", "Pod"]),
    ],
)
def test_the_scope_counts_as_it_does_for_reviews(scope: Scope, denied: list[str]) -> None:
    out_of_grace = patched(API_PATCHED, patched=hours_ago(100))
    app = make_gate_app(image_list(API), records({API: out_of_grace}), scope=scope)
    questions = {
        "rollout": {"object": pod(API), "userInfo": CONTROLLER},
        "template": {"object": change("deployment-create")["request"]["object"]},
        "Pod": {"object": pod(API)},
    }
    answers = {
        name: ask_app(app, "POST", "/v1/decisions", json.dumps(body).encode()) for name, body in questions.items()
    }
    assert [name for name, answer in answers.items() if not answer.json["allowed"]] == denied


def test_no_answer_holds_what_kyverno_would_read_as_a_variable(gate: Gate) -> None:
    braces = ["{{ request.object }}", "{{{{", "a{{b}}:{{", "{", "{ {"]
    answer = gate.ask("POST", "/v1/decisions", {"images": braces, "namespace": "{{ x }}"})
    assert answer.status == 200
    assert "{{" not in answer.text
    assert [item["reason"] for item in answer.json["images"]] == ["InvalidReference"] * 5
    assert answer.json["images"][0]["image"] == "{ { request.object }}"


@settings(max_examples=200)
@given(images=st.lists(st.text('{}a:/@\\"\n', max_size=12) | st.text(max_size=20), max_size=5))
def test_any_images_get_one_item_each_in_flat_json(images: list[str]) -> None:
    answer = ask({"images": images})
    assert b"{{" not in answer.body
    assert answer.json.keys() == {"allowed", "reason", "message", "images"}
    assert answer.json["message"]
    assert len(answer.json["images"]) == len(images)
    assert answer.json["allowed"] is all(item["allowed"] for item in answer.json["images"])


def test_only_post_is_allowed(gate: Gate) -> None:
    answer = gate.ask("GET", "/v1/decisions")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("body", [{"images": ["busybox"]}, {"images": []}, {"object": None}])
def test_a_question_before_the_first_list_is_told_to_come_again(cold_gate: Gate, body: object) -> None:
    answer = cold_gate.ask("POST", "/v1/decisions", body)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (answer.json["allowed"], answer.json["reason"]) == (False, "NotReady")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"object": {"spec": {"containers": [{"image": FRONTEND}]}}},
            400,
            "an object has a kind and an apiVersion, and both are texts",
        ),
        (
            {"object": {"apiVersion": "v1", "kind": "List", "items": [pod(FRONTEND)]}},
            400,
            "a List is not judged as one: send each of its items",
        ),
        ({"images": ["nginx"] * 1001}, 413, "one question has at most 1000 images"),
    ],
)
def test_what_might_hide_an_image_is_not_taken_for_an_object_without_one(
    body: object, status: int, message: str
) -> None:
    answer = ask_app(APP, "POST", "/v1/decisions", json.dumps(body).encode())
    assert (answer.status, answer.json["allowed"], answer.json["message"]) == (status, False, message)


def test_an_object_of_more_images_than_a_request_has_is_refused() -> None:
    found = ask({"object": pod(*(f"nginx:{number}" for number in range(1001)))}).json
    assert (found["allowed"], found["reason"]) == (False, "InvalidObject")
    assert found["message"] == "the object: names more than 1000 images"


def nest(image: str, levels: int) -> bytes:
    """A question about a Pod whose managedFields its maker nested."""
    obj = json.dumps({"object": pod(image) | {"metadata": {"managedFields": [{"fieldsV1": "DEEP"}]}}})
    return obj.replace('"DEEP"', '{"f:a":' * levels + "{}" + "}" * levels).encode()


@pytest.mark.parametrize("image", [FRONTEND, "busybox"])
def test_an_object_that_is_nested_by_its_maker_is_refused_as_kyverno_lets_in_what_is_not_answered(image: str) -> None:
    answer = ask_app(APP, "POST", "/v1/decisions", nest(image, 100_000))
    assert (answer.status, answer.json["allowed"], answer.json["reason"]) == (200, False, "InvalidObject")
    assert "recursion limit exceeded" in answer.json["message"]


@pytest.mark.parametrize(("image", "reason"), [(FRONTEND, "SlaBreached"), ("busybox", "NotTracked")])
@pytest.mark.parametrize("levels", [150, 300])
def test_an_object_that_is_nested_less_is_judged_as_a_review_would_be(image: str, reason: str, levels: int) -> None:
    answer = ask_app(APP, "POST", "/v1/decisions", nest(image, levels))
    assert (answer.status, answer.json["reason"]) == (200, reason)


@pytest.mark.parametrize("images", [[5] * 2000, {"containers": dict.fromkeys(map(str, range(2000)), 5)}])
def test_images_are_counted_before_what_is_wrong_with_each_is_listed(gate: Gate, images: object) -> None:
    answer = gate.ask("POST", "/v1/decisions", {"images": images})
    assert (answer.status, answer.json["message"]) == (413, "one question has at most 1000 images")


def test_an_answer_that_kyverno_could_not_read_refuses_as_a_whole() -> None:
    """Of a thousand such names it would have 5 MB, and Kyverno lets in what it cannot read, under Ignore."""
    answer = ask({"object": pod(API, *(f"{'😀' * 190}{number}" for number in range(999)))})
    assert len(answer.body) < 2_000_000
    assert [item["reason"] for item in answer.json["images"]] == [answer.json["reason"]] == ["InvalidObject"]
    assert answer.json["allowed"] is False
