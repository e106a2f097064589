"""The ops listener: metrics that name nobody's image, the tracked images in pages, and neither on the main listener."""

import json
import threading
from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families

from patchgate.metrics import GateMetrics
from tests.conftest import API, REVIEWS, SHOP, Answer, Doors, Gate, ask_app, change, make_doors, read_recorded
from tests.world import NOW, image_list

GAUGES = {
    "patchgate_ready",
    "patchgate_connections",
    "patchgate_connections_gave_way",
    "patchgate_held_bytes",
    "patchgate_requests_in_flight",
    "patchgate_images",
    "patchgate_snapshot_age_seconds",
    "patchgate_snapshot_generation",
    "patchgate_bad_entries",
    "patchgate_certificate_expiry_timestamp_seconds",
    "patchgate_clock_behind_seconds",
    "patchgate_log_lines_lost",
    "patchgate_tracked_images",
    "patchgate_sla_images",
    "patchgate_sla_next_breach_timestamp_seconds",
    "patchgate_stale_images",
    "patchgate_patcher_last_run_timestamp_seconds",
}
LABELS = {
    "patchgate_uncertified_callers": {"fault"},
    "patchgate_reviews": {"mode", "operation", "decision", "reason", "allowed", "dry_run"},
    "patchgate_review_seconds": {"mode", "le"},
    "patchgate_decisions": {"decision", "reason"},
    "patchgate_errors": {"where"},
    "patchgate_refusals": {"status"},
    "patchgate_certificate_loads": {"result"},
    "patchgate_bad_entries": {"kind"},
    "patchgate_tracked_images": {"state"},
    "patchgate_sla_images": {"left"},
}
LINES = [f"registry.example.com/team/app:{number:03}" for number in range(250)]


def scrape(gate: Gate) -> dict[str, Metric]:
    """Family → its samples; beside each that counts stands one that says since when."""
    families = text_string_to_metric_families(gate.ask_ops("/metrics").text)
    return {family.name: family for family in families if not family.name.endswith("_created")}


def list_counted() -> set[str]:
    """The families that the gate counts as it goes; samples of a counter end in `_total`, its family does not."""
    return {family.name for family in GateMetrics(CollectorRegistry()).registry.collect()}


@pytest.fixture
def reviewed(gate: Gate) -> Gate:
    """The gate after reviews of every kind, and questions good and bad."""
    for name in sorted(file.stem for file in REVIEWS.glob("*.json")):
        for mode in ("enforce", "warn", "audit"):
            gate.review(read_recorded(name), mode)
    gate.review(change("pod-create", namespace="secret-namespace"))
    gate.review(change("pod-create", operation="CREAT-E", object={"apiVersion": "v1", "kind": "Pod", "spec": 1}))
    gate.review(b"{")
    gate.ask("POST", "/v1/decisions", {"images": [API, "busybox", "NO IMAGE"], "namespace": "secret-namespace"})
    gate.ask("POST", "/v1/decisions", {"images": 5})
    gate.ask("GET", "/v1/secret-path")
    return gate


def test_the_metrics_are_read_by_prometheus_own_parser(gate: Gate) -> None:
    answer = gate.ask_ops("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    gate.wait_until(lambda: "patchgate_tracked_images" in scrape(gate))  # counted soon after the start
    assert scrape(gate).keys() == list_counted() | GAUGES


def test_no_metric_names_an_image_a_namespace_a_user_or_a_path(reviewed: Gate) -> None:
    for name, family in scrape(reviewed).items():
        assert {label for sample in family.samples for label in sample.labels} <= LABELS.get(name, set())
    text = reviewed.ask_ops("/metrics").text
    words = ("registry.example.com", "myapp", "busybox", "NO IMAGE", "shop", "secret", "alice", "CREAT-E", '"web"')
    assert [word for word in words if word in text] == []


def test_reviews_are_counted_by_what_the_table_said_and_what_the_caller_was_told() -> None:
    doors = make_doors(*SHOP)
    labels = {"operation": "CREATE", "reason": "PatchAvailable", "decision": "deny", "dry_run": "False"}
    for mode, allowed in (("enforce", "False"), ("warn", "True"), ("audit", "True")):
        body = read_recorded("pod-create")
        ask_app(doors.main, "POST", f"/validate/{mode}", body, headers={"Content-Type": "application/json"})
        assert doors.count("patchgate_reviews_total", mode=mode, allowed=allowed, **labels) == 1.0
        assert doors.count("patchgate_review_seconds_count", mode=mode) == 1.0


def test_nothing_is_in_flight_but_the_scrape_itself(gate: Gate) -> None:
    gate.ask("GET", "/livez")
    gate.wait_until(lambda: gate.metric("patchgate_requests_in_flight") == 1.0)


@pytest.mark.parametrize("path", ["/metrics", "/v1/images", "/openapi.json", "/docs", "/redoc"])
def test_none_of_it_is_on_the_main_listener(gate: Gate, path: str) -> None:
    assert gate.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/validate/enforce", "/v1/decisions", "/v1/catalog"])
def test_the_ops_listener_has_no_other_door_and_nothing_that_loads_from_another_host(gate: Gate, path: str) -> None:
    assert gate.ask_ops(path).status == 404


@pytest.fixture(scope="module")
def doors() -> Doors:
    return make_doors(image_list(*LINES))


def ask_images(doors: Doors, query: str = "") -> Answer:
    return ask_app(doors.ops, "GET", f"/v1/images{query}")


def test_images_come_in_pages_that_miss_none(doors: Doors) -> None:
    listed: list[str] = []
    offset, pages = 0, 0
    while offset is not None:
        page = ask_images(doors, f"?offset={offset}&limit=60").json
        listed += [item["image"] for item in page["images"]]
        offset, pages = page["next"], pages + 1
    assert (listed, pages) == (LINES, 5)


@pytest.mark.parametrize(
    ("query", "first", "number", "following"),
    [
        ("", 0, 100, 100),
        ("?limit=1000", 0, 250, None),
        ("?offset=100", 100, 100, 200),
        ("?offset=200", 200, 50, None),
        ("?offset=249&limit=2", 249, 1, None),
        ("?offset=250", None, 0, None),
        ("?offset=1000000000&limit=1", None, 0, None),
        ("?unknown=1&limit=3", 0, 3, 3),
    ],
)
def test_a_page_begins_at_its_offset_and_names_the_next(
    doors: Doors, query: str, first: int | None, number: int, following: int | None
) -> None:
    page = ask_images(doors, query).json
    assert [item["image"] for item in page["images"][:1]] == ([] if first is None else [LINES[first]])
    assert (len(page["images"]), page["next"]) == (number, following)


@pytest.mark.parametrize(
    "query",
    [
        "offset=-1",
        "offset=x",
        "offset=",
        "offset=1.5",
        f"offset={10**30}",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
    ],
)
def test_a_page_that_cannot_be_is_refused_and_its_parameter_named(doors: Doors, query: str) -> None:
    answer = ask_images(doors, f"?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in answer.text


def test_images_before_the_first_list_are_absent_and_not_none() -> None:
    answer = ask_app(make_doors().ops, "GET", "/v1/images")
    assert (answer.status, answer.headers["retry-after"], answer.json["reason"]) == (503, "1", "NotReady")


def test_a_running_gate_tells_of_each_image_its_state_and_what_to_use(gate: Gate) -> None:
    images = {item["image"]: item for item in json.loads(gate.ask_ops("/v1/images").body)["images"]}
    assert len(images) == 5
    assert (images[API]["state"], images[API]["stale"], images[API]["breached"]) == ("patched", False, False)
    assert images[API]["approved"].startswith(f"{API}-patched-20260509@sha256:")


def test_images_are_listed_beside_the_event_loop_which_goes_on_meanwhile() -> None:
    loop_thread, seen = threading.get_ident(), set[int]()

    def look() -> datetime:
        seen.add(threading.get_ident())
        return NOW

    ask_images(make_doors(image_list(*LINES), clock=look))
    assert seen
    assert loop_thread not in seen
