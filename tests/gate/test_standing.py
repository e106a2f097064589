"""What stands now, as the metrics give it."""

import io
from datetime import timedelta

import pytest
import trustme
from prometheus_client import CollectorRegistry

from patchgate.configmaps.configmap import ConfigMap
from patchgate.gate.clock import SteadyClock
from patchgate.gate.gauges import read_clock_and_log, read_gauges
from patchgate.gate.log_stream import LogStream
from patchgate.gate.standing import Standing
from patchgate.metrics import GaugeCollector
from patchgate.policy.part import Problem
from patchgate.server.judge import Judge
from patchgate.server.life import Life
from patchgate.server.readiness import Readiness
from patchgate.server.tls import RotatingPair
from tests.world import NOW, clean, exceptions, hours_ago, image_list, records, snapshot, team_list

BASE = "registry.example.com/shared/base:1"
EXPIRED = f"- {{image: '{BASE}', reason: r, owner: o, expires: '{hours_ago(1)}'}}\n- {{image: x}}\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> RotatingPair:
    directory = tmp_path_factory.mktemp("pair")
    leaf = trustme.CA().issue_cert("127.0.0.1", not_after=NOW + timedelta(days=400))
    leaf.cert_chain_pems[0].write_to_path(directory / "tls.crt")
    leaf.private_key_pem.write_to_path(directory / "tls.key")
    return RotatingPair(directory / "tls.crt", directory / "tls.key")


def stand(*configmaps: ConfigMap) -> Standing:
    standing = Standing(read_at=NOW - timedelta(seconds=90))
    standing.snapshot = snapshot(*configmaps)
    standing.count_bad_entries(NOW)
    return standing


def scrape(standing: Standing, pair: RotatingPair) -> dict[str, float]:
    registry = CollectorRegistry()
    readiness = Readiness(Judge(lambda: standing.snapshot, lambda: NOW), Life(0))
    registry.register(GaugeCollector(lambda: read_gauges(standing, readiness, pair, (), NOW)))
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {
        f"{sample.name} {sample.labels['kind']}" if sample.labels else sample.name: sample.value for sample in samples
    }


def test_before_the_first_snapshot_nothing_is_ready_and_nothing_has_an_age(pair: RotatingPair) -> None:
    assert scrape(Standing(), pair) == {
        "patchgate_ready": 0.0,
        "patchgate_images": 0.0,
        "patchgate_bad_entries image_list": 0.0,
        "patchgate_bad_entries records": 0.0,
        "patchgate_bad_entries exceptions": 0.0,
        "patchgate_bad_entries source": 0.0,
        "patchgate_requests_in_flight": 0.0,
        "patchgate_certificate_expiry_timestamp_seconds": (NOW + timedelta(days=400)).timestamp(),
    }


def test_a_snapshot_in_force_has_its_age_generation_and_images(pair: RotatingPair) -> None:
    standing = stand(
        image_list(BASE, "nginx:1.25", "nginx:1.26"), team_list(BASE), records({BASE: clean(BASE)}, generation=41)
    )
    gauges = scrape(standing, pair)
    assert gauges["patchgate_ready"] == 1.0
    assert gauges["patchgate_images"] == 4.0
    assert gauges["patchgate_snapshot_age_seconds"] == 90.0
    assert gauges["patchgate_snapshot_generation"] == 41.0


def test_data_without_the_main_list_is_not_ready(pair: RotatingPair) -> None:
    assert scrape(stand(records()), pair)["patchgate_ready"] == 0.0


def test_entries_that_do_not_count_are_counted_by_their_kind() -> None:
    standing = stand(
        image_list("no image", "nor this", BASE, stale="perhaps"),
        team_list("no image"),
        records({BASE: {}, "b": {}, "c": {}}),
        exceptions(EXPIRED),
    )
    standing.source_problems = (Problem("a.yaml", "", "cannot be read"),)
    standing.count_bad_entries(NOW)
    assert standing.bad_entries == {"image_list": 4, "records": 3, "exceptions": 2, "source": 1}


def test_problems_of_the_source_are_counted_before_the_first_snapshot() -> None:
    standing = Standing(source_problems=(Problem("a.yaml", "", "cannot be read"),))
    standing.count_bad_entries(NOW)
    assert standing.bad_entries == {"source": 1}


def test_lines_that_overrule_each_other_count_where_they_stand() -> None:
    standing = stand(image_list(f"{BASE}@sha256:{'a' * 64}"), team_list(f"{BASE}@sha256:{'b' * 64}"))
    assert standing.bad_entries["image_list"] == 1


def test_lines_of_the_log_that_are_lost_and_a_clock_that_was_put_back_are_counted() -> None:
    times, out = [NOW, NOW - timedelta(hours=3)], io.StringIO()
    clock, stream = SteadyClock(lambda: times[-1] if len(times) == 1 else times.pop(0), lambda: 0.0), LogStream(out)
    out.close()
    for _ in range(3):
        stream.write("a line\n")
        stream.flush()
    registry = CollectorRegistry()
    registry.register(GaugeCollector(lambda: read_clock_and_log(clock, stream)))
    assert registry.get_sample_value("patchgate_clock_behind_seconds") == 3 * 3600
    assert registry.get_sample_value("patchgate_log_lines_lost_total") == 3
