"""The count of reviews: as prometheus_client's own counter and histogram would have it."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from patchgate.metrics import GateMetrics
from patchgate.policy.decision import Mode

SECONDS = [0.0001, 0.0005, 0.0006, 0.07, 2.5, 2.6, 100.0]
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LABELS = ("mode", "operation", "decision", "reason", "allowed", "dry_run")


@pytest.fixture
def counted() -> CollectorRegistry:
    metrics = GateMetrics(CollectorRegistry())
    for seconds in SECONDS:
        metrics.reviews.count((Mode.ENFORCE, "CREATE", "deny", "Stale", False, False), seconds)
    metrics.reviews.count((Mode.AUDIT, "CREATE", "allow", "Approved", True, True), 0.002)
    return metrics.registry


def list_samples(registry: CollectorRegistry, family: str) -> list[tuple[str, dict[str, str], float]]:
    found = next(each for each in registry.collect() if each.name == family)
    return [(sample.name, sample.labels, sample.value) for sample in found.samples if "_created" not in sample.name]


def test_each_series_is_counted_by_itself(counted: CollectorRegistry) -> None:
    twin = CollectorRegistry()
    counter = Counter("patchgate_reviews_total", "Reviews.", LABELS, registry=twin)
    counter.labels("enforce", "CREATE", "deny", "Stale", "False", "False").inc(len(SECONDS))
    counter.labels("audit", "CREATE", "allow", "Approved", "True", "True").inc()
    assert list_samples(counted, "patchgate_reviews") == list_samples(twin, "patchgate_reviews")


def test_seconds_fall_in_the_buckets_of_their_mode_each_bound_included(counted: CollectorRegistry) -> None:
    twin = CollectorRegistry()
    clock = Histogram("patchgate_review_seconds", "Seconds.", ("mode",), buckets=BUCKETS, registry=twin)
    for seconds in SECONDS:
        clock.labels("enforce").observe(seconds)
    clock.labels("audit").observe(0.002)
    assert list_samples(counted, "patchgate_review_seconds") == list_samples(twin, "patchgate_review_seconds")


def test_both_families_are_there_before_the_first_review() -> None:
    families = {each.name for each in GateMetrics(CollectorRegistry()).registry.collect()}
    assert {"patchgate_reviews", "patchgate_review_seconds"} <= families
