"""The gate's metrics, in a registry of their own. Labels are few and fixed: never the name of an image."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

ReviewLabels = tuple[str, str, str, str, bool, bool]
"""Mode, operation, decision, reason, whether it was allowed, whether it was a dry run."""
CALLER_FAULTS: Final = ("none", "name", "untrusted")
"""What can be wrong with a caller's certificate: series that an alert looks at from the start."""
PLACES: Final = ("certificate", "decision", "event", "report", "review", "source", "tally", "webhooks")
"""Where things go wrong, all there from the start: Prometheus sees an increase of what it has seen before alone."""
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_BUCKETS: Final = (*map(floatToGoString, _SECONDS), "+Inf")


class GateMetrics:
    """What the gate counts as it goes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.reviews = ReviewCollector()
        registry.register(self.reviews)
        self.decisions = Counter(
            "patchgate_decisions_total",
            "Answers of /v1/decisions, and of keys of /v1/gatekeeper.",
            ("decision", "reason"),
            registry=registry,
        )
        self.errors = Counter(
            "patchgate_errors_total",
            "What went wrong, by where.",
            ("where",),
            registry=registry,
        )
        for place in PLACES:
            self.errors.labels(place)
        self.refusals = Counter(
            "patchgate_refusals_total",
            "Requests for a review that were not answered by a verdict, by the status that they got instead.",
            ("status",),
            registry=registry,
        )
        self.snapshots = Counter("patchgate_snapshots_total", "Snapshots put in force.", registry=registry)
        self.certificate_loads = Counter(
            "patchgate_certificate_loads_total", "Pairs loaded or refused.", ("result",), registry=registry
        )
        self.certificate_loaded_at = Gauge(
            "patchgate_certificate_last_load_timestamp_seconds",
            "When the served certificate was loaded.",
            registry=registry,
        )
        self.armed = Gauge(
            "patchgate_armed", "1 while kube-apiserver was last seen to be told to ask.", registry=registry
        )
        self.webhooks_refused = Gauge(
            "patchgate_webhooks_refused",
            "1 while the ConfigMap of webhooks holds something that the gate must not apply.",
            registry=registry,
        )
        self.uncertified = Counter(
            "patchgate_uncertified_callers_total",
            "Reviews whose caller showed no accepted client certificate, and TLS handshakes that failed by one.",
            ("fault",),
            registry=registry,
        )
        for fault in CALLER_FAULTS:
            self.uncertified.labels(fault)
        self.own_port_answers = Gauge(
            "patchgate_own_port_answers",
            "1 while the gate's own port answers with the certificate that it should.",
            registry=registry,
        )


class ReviewCollector(Collector):
    """Counts reviews, and how long they took, in plain dicts; gives both as Prometheus has them at the scrape.

    A Counter and a Histogram take a lock for each of the three numbers of a review. Here the event loop alone counts.
    """

    def __init__(self) -> None:
        self._reviews: dict[ReviewLabels, int] = defaultdict(int)
        self._by_bucket: dict[str, list[int]] = defaultdict(lambda: [0] * len(_BUCKETS))
        self._seconds: dict[str, float] = defaultdict(float)

    def count(self, labels: ReviewLabels, seconds: float) -> None:
        """Count a review."""
        mode = labels[0]
        self._reviews[labels] += 1
        self._by_bucket[mode][bisect_left(_SECONDS, seconds)] += 1
        self._seconds[mode] += seconds

    def collect(self) -> Iterable[Metric]:
        """Give the counts as they stand."""
        reviews = CounterMetricFamily(
            "patchgate_reviews",
            "Reviews answered; decision is what the table says, allowed what the caller was told.",
            labels=("mode", "operation", "decision", "reason", "allowed", "dry_run"),
        )
        for labels, number in tuple(self._reviews.items()):
            reviews.add_metric([str(label) for label in labels], number)
        seconds = HistogramMetricFamily(
            "patchgate_review_seconds", "Seconds from a review's whole body to its answer.", labels=("mode",)
        )
        for mode, numbers in tuple(self._by_bucket.items()):
            buckets = list(zip(_BUCKETS, accumulate(numbers), strict=True))
            seconds.add_metric([str(mode)], buckets, self._seconds[mode])
        return reviews, seconds


class GaugeCollector(Collector):
    """Gauges read at the scrape, from whoever knows them; counters too that somebody else counts."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Give the gauges as they stand."""
        return self._read()


def make_gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    """Make a gauge without labels."""
    return GaugeMetricFamily(name, documentation, value=value)
