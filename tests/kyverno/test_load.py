"""Fifty Pods a second through Kyverno: nothing fails, and Kyverno leaves no connections open with us."""

import pytest

from tests.kyverno.burst import burst
from tests.kyverno.site import Site
from tests.plane.world import API_PATCHED

REVIEWS = 200


@pytest.mark.parametrize(
    ("form", "trust"), [("validatingPolicy", "roots"), ("clusterPolicy", "roots"), ("clusterPolicy", "caBundle")]
)
def test_a_burst_is_admitted_and_leaves_nothing_open(site: Site, form: str, trust: str) -> None:
    """With a caBundle Kyverno makes a connection a call, and closes none of them."""
    ca = site.plane.credentials.ca.read_text(encoding="utf-8")
    with site.enforce(form, **({"caBundle": ca} if trust == "caBundle" else {})) as (policies, gate):
        before = gate.metric('patchgate_decisions_total{decision="allow",reason="Approved"}')
        done = burst(site.plane, policies, gate.port, API_PATCHED, REVIEWS)
        asked = gate.metric('patchgate_decisions_total{decision="allow",reason="Approved"}') - before
    assert done.failed == ()
    assert done.admitted >= REVIEWS
    assert asked >= done.admitted
    assert done.connections <= 100
