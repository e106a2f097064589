"""Gauges of how the gate stands, read at each scrape."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from patchgate.gate.clock import SteadyClock
from patchgate.gate.log_stream import LogStream
from patchgate.gate.standing import Standing
from patchgate.metrics import make_gauge
from patchgate.server.budget import Budget
from patchgate.server.readiness import Readiness
from patchgate.server.serve import Server
from patchgate.server.tls import ServedPair


def read_gauges(
    standing: Standing, readiness: Readiness, pair: ServedPair, servers: Iterable[Server], now: datetime
) -> Iterator[GaugeMetricFamily]:
    """Read the gauges. Ages are in seconds; a snapshot that was never read has none. now: aware UTC."""
    yield make_gauge("patchgate_ready", "1 while the gate is ready, as /readyz says.", float(readiness.is_ready()))
    yield make_gauge("patchgate_images", "Image lines in force.", standing.snapshot.images if standing.snapshot else 0)
    if standing.read_at:
        age = (now - standing.read_at).total_seconds()
        yield make_gauge("patchgate_snapshot_age_seconds", "Since the source was last read.", age)
    if standing.snapshot:
        generation = standing.snapshot.generation
        yield make_gauge("patchgate_snapshot_generation", "Highest generation of the records in force.", generation)
    bad = GaugeMetricFamily("patchgate_bad_entries", "Entries that do not count, by kind.", labels=("kind",))
    for kind in ("image_list", "records", "exceptions", "source"):
        bad.add_metric((kind,), standing.bad_entries[kind])
    yield bad
    in_flight = sum(server.count_in_flight() for server in servers)
    yield make_gauge("patchgate_requests_in_flight", "Requests being answered.", in_flight)
    expiry = pair.current.expires.timestamp()
    yield make_gauge("patchgate_certificate_expiry_timestamp_seconds", "When the served certificate expires.", expiry)


def read_image_gauges(standing: Standing, now: datetime) -> Iterator[GaugeMetricFamily]:
    """Read where the listed images stand, as counted; nothing before the first count. now: aware UTC."""
    tally, snapshot = standing.tally, standing.snapshot
    if tally is None or snapshot is None:
        return
    yield _count_by("patchgate_tracked_images", "Listed images by the state of their record.", "state", tally.states)
    left = tally.count_by_time_left(now)
    yield _count_by("patchgate_sla_images", "Images whose SLA clock runs, by the time left.", "left", left)
    if deadline := tally.find_next_deadline(now):
        name = "patchgate_sla_next_breach_timestamp_seconds"
        yield make_gauge(name, "When the SLA of an image is breached next.", deadline.timestamp())
    stale = tally.count_stale(now)
    yield make_gauge("patchgate_stale_images", "Images that were approved, and nothing of that is fresh.", stale)
    ran = snapshot.last_run.timestamp() if snapshot.last_run else 0
    yield make_gauge("patchgate_patcher_last_run_timestamp_seconds", "When a patcher last ended a run; 0: never.", ran)


def read_contact_gauge(find_age_seconds: Callable[[], float | None]) -> Iterator[GaugeMetricFamily]:
    """Read how long ago kube-apiserver was heard; nothing before, nor where there is none."""
    age_seconds = find_age_seconds()
    if age_seconds is not None:
        yield make_gauge("patchgate_contact_age_seconds", "Since kube-apiserver was last heard.", age_seconds)


def read_budget(budget: Budget) -> Iterator[Metric]:
    """Read what connections take, and how many had to give way."""
    yield make_gauge(
        "patchgate_connections", "Open connections, in their TLS handshake or after it.", budget.connections
    )
    yield make_gauge("patchgate_held_bytes", "Bytes of bodies, unread answers and large buffers.", budget.held_bytes)
    yield CounterMetricFamily(
        "patchgate_connections_gave_way",
        "Connections that were closed as others needed the room.",
        value=budget.gave_way,
    )


def read_clock_and_log(clock: SteadyClock, stream: LogStream) -> Iterator[Metric]:
    """Read how far the machine's clock is behind, and how much of the log is lost."""
    behind_seconds = clock.behind.total_seconds()
    yield make_gauge("patchgate_clock_behind_seconds", "By how much the clock was put back.", behind_seconds)
    yield CounterMetricFamily(
        "patchgate_log_lines_lost", "Lines of the log that could not be written.", value=stream.lost_lines
    )


def _count_by(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
