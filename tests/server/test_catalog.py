"""`GET /v1/catalog`, which Kyverno compares strings with."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from tests.conftest import API_DIGEST, Answer, Gate, ask_app, make_gate_app
from tests.world import clean, digest, hours_ago, image_list, patched, record, records

NGINX = "docker.io/library/nginx:1.25"
BASE = "registry.example.com/shared/base:1"


def ask(*configmaps: ConfigMap) -> Answer:
    answer = ask_app(make_gate_app(*configmaps), "GET", "/v1/catalog")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer


def test_a_running_gate_lists_what_is_tracked_and_approved(gate: Gate) -> None:
    answer = gate.ask("GET", "/v1/catalog")
    assert answer.status == 200
    assert answer.json.keys() == {"tracked", "approved"}
    assert "docker.io/nginx" in answer.json["tracked"]
    assert f"registry.example.com/myapp/api@{API_DIGEST}" in answer.json["approved"]


def test_what_is_approved_is_allowed_and_all_that_is_tracked_is_judged(gate: Gate) -> None:
    catalog = gate.ask("GET", "/v1/catalog").json
    approved = gate.ask("POST", "/v1/decisions", {"images": catalog["approved"]}).json
    tracked = gate.ask("POST", "/v1/decisions", {"images": [f"{name}:else" for name in catalog["tracked"]]}).json
    assert {item["reason"] for item in approved["images"]} == {"Approved"}
    assert {item["reason"] for item in tracked["images"]} == {"Unlisted"}


def test_an_empty_list_gives_arrays_all_the_same() -> None:
    assert ask(image_list()).json == {"tracked": [], "approved": []}


def test_docker_hub_has_all_its_names_with_and_without_library() -> None:
    assert ask(image_list(NGINX)).json["tracked"] == [
        "docker.io/library/nginx",
        "docker.io/nginx",
        "index.docker.io/library/nginx",
        "index.docker.io/nginx",
        "registry-1.docker.io/library/nginx",
        "registry-1.docker.io/nginx",
        "registry.hub.docker.com/library/nginx",
        "registry.hub.docker.com/nginx",
    ]


def test_a_mirror_is_another_name_of_its_registry() -> None:
    listed = image_list(BASE, mirrors="mirror.example.com = registry.example.com")
    assert ask(listed).json["tracked"] == ["mirror.example.com/shared/base", "registry.example.com/shared/base"]


def test_a_mirror_with_a_path_names_what_is_below_it() -> None:
    mirrors = "harbor.example.com/hub = docker.io\nold.example.com = harbor.example.com/hub"
    tracked = ask(image_list(NGINX, BASE, mirrors=mirrors)).json["tracked"]
    assert [name for name in tracked if "docker" not in name] == [
        "harbor.example.com/hub/library/nginx",
        "harbor.example.com/hub/nginx",
        "old.example.com/library/nginx",
        "old.example.com/nginx",
        "registry.example.com/shared/base",
    ]


def test_a_mirror_of_docker_hub_joins_its_names() -> None:
    listed = image_list("docker.io/grafana/grafana:1", mirrors="mirror.gcr.io = docker.io")
    assert ask(listed).json["tracked"] == [
        "docker.io/grafana/grafana",
        "index.docker.io/grafana/grafana",
        "mirror.gcr.io/grafana/grafana",
        "registry-1.docker.io/grafana/grafana",
        "registry.hub.docker.com/grafana/grafana",
    ]


def test_a_push_target_is_tracked() -> None:
    listed = image_list(BASE, push_to="registry.example.com/shared = registry.example.com/patched")
    assert ask(listed).json["tracked"] == [
        "registry.example.com/patched",
        "registry.example.com/patched/base",
        "registry.example.com/shared/base",
    ]


def test_index_and_platform_digests_of_fresh_approvals_are_approved() -> None:
    record_of_base = patched(f"{BASE}-patched-20260509")
    assert ask(image_list(BASE), records({BASE: record_of_base})).json["approved"] == sorted(
        [f"registry.example.com/shared/base@{digest(seed)}" for seed in ("patched", "patched-amd64")]
    )


def test_an_approval_on_docker_hub_is_named_as_kyverno_and_containerd_name_it() -> None:
    record_of_nginx = clean(NGINX, approved_platforms={})
    assert ask(image_list(NGINX), records({NGINX: record_of_nginx})).json["approved"] == [
        f"docker.io/library/nginx@{digest('source')}",
        f"docker.io/nginx@{digest('source')}",
    ]


@pytest.mark.parametrize(
    "record_of_base",
    [
        record(),
        clean(BASE, verified=hours_ago(25)),
        patched(BASE, approved_digest=digest("source"), approved_platforms={}),  # a source found vulnerable
    ],
)
def test_what_is_pending_stale_or_vulnerable_is_not_approved(record_of_base: dict[str, object]) -> None:
    answer = ask(image_list(BASE), records({BASE: record_of_base}))
    assert answer.json == {"tracked": ["registry.example.com/shared/base"], "approved": []}


def test_a_catalog_before_the_first_list_is_not_empty_but_absent(cold_gate: Gate) -> None:
    answer = cold_gate.ask("GET", "/v1/catalog")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json.keys() == {"allowed", "reason", "message", "images"}
