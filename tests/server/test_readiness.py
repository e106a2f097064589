"""Ready means one thing: to the probe, the metric, the status page, and the enabling of webhooks (A17)."""

import io
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from patchgate.gate.certificates import make_stand_in
from patchgate.gate.gauges import read_gauges
from patchgate.gate.log import make_log
from patchgate.gate.standing import Standing
from patchgate.metrics import GateMetrics
from patchgate.server.app import make_app
from patchgate.server.judge import Judge
from patchgate.server.life import Life
from patchgate.server.ops import make_ops_app
from patchgate.server.page.health import Health
from patchgate.server.readiness import DRAINING, NOT_READ, Readiness
from patchgate.server.reporting import Reporter
from patchgate.server.tls import ServedPair
from tests.conftest import SHOP, ask_app
from tests.world import NOW, snapshot, team_list

EXPIRED = "the certificate expired on 2026-05-01"
OWN_PORT = "the own port does not answer: no TLS"
TEAM = (team_list("registry.example.com/team/app:1"),)


@pytest.mark.parametrize(
    ("configmaps", "is_draining", "obstacles", "reasons"),
    [
        (SHOP, False, [], []),
        (None, False, [], [NOT_READ]),
        (TEAM, False, [], [NOT_READ]),
        (SHOP, True, [], [DRAINING]),
        (SHOP, False, [EXPIRED], [EXPIRED]),
        (SHOP, False, [EXPIRED, OWN_PORT], [EXPIRED, OWN_PORT]),
        (None, True, [OWN_PORT], [NOT_READ, DRAINING, OWN_PORT]),
    ],
)
def test_probe_metric_page_and_webhooks_agree(
    configmaps: tuple[object, ...] | None, is_draining: bool, obstacles: list[str], reasons: list[str]
) -> None:
    standing = Standing(snapshot(*configmaps) if configmaps else None)  # type: ignore[arg-type] # ConfigMaps
    judge = Judge(lambda: standing.snapshot, lambda: NOW)
    readiness = Readiness(judge, Life(0, is_draining=is_draining), lambda: obstacles)
    metrics = GateMetrics(CollectorRegistry())
    main = make_app(judge, Reporter(metrics, make_log(io.StringIO())), readiness, tuple)
    ops = make_ops_app(judge, metrics.registry, main, lambda: Health(obstacles=tuple(readiness.list_reasons())))
    status = 503 if reasons else 200
    probe, page = ask_app(main, "GET", "/readyz?verbose"), ask_app(ops, "GET", "/")
    assert readiness.list_reasons() == reasons
    assert readiness.is_ready() is not bool(reasons)  # what the webhooks wait for
    assert (probe.status, page.status) == (status, status)
    assert [line for line in probe.text.splitlines() if line.startswith("not ready: ")] == [
        f"not ready: {reason}" for reason in reasons
    ]
    assert [reason for reason in reasons if f"Not ready: {reason}" not in page.text] == []
    assert read_ready(standing, readiness) == (0.0 if reasons else 1.0)


def read_ready(standing: Standing, readiness: Readiness) -> float:
    pair = ServedPair(make_stand_in(datetime(2026, 5, 9, tzinfo=UTC)))
    gauges = read_gauges(standing, readiness, pair, (), NOW)
    return next(each.samples[0].value for each in gauges if each.name == "patchgate_ready")
