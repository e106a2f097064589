"""What runs already: Kyverno's background scan asks the gate, and its reports say so."""

from typing import Any

import pytest

from tests.chart.rendering import Chart
from tests.kyverno.controllers import WAIT_SECONDS, Kyverno
from tests.kyverno.policies import BOTH, apply, render_policies
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import name_of, pod
from tests.plane.world import API, API_PATCHED, API_USE


def read_results(namespace: Kubectl, name: str) -> list[tuple[str, str]]:
    """Read what the report on a Pod holds of our policy: result and message."""
    found: list[dict[str, Any]] = namespace.get("policyreports.wgpolicyk8s.io")["items"]
    reports = [each for each in found if each.get("scope", {}).get("name") == name]
    results = [result for report in reports for result in report.get("results", [])]
    return [(each["result"], each["message"]) for each in results if each["policy"] == "block-unpatched-images"]


@pytest.mark.parametrize("form", BOTH)
def test_a_pod_that_runs_already_is_reported(plane: Plane, kyverno: Kyverno, chart: Chart, url: str, form: str) -> None:
    namespace = plane.make_namespace(f"running-{form.lower()}")
    old, good = pod(API), pod(API_PATCHED)
    for each in (old, good):
        assert namespace.create(each).is_admitted
    objects = render_policies(
        chart, form, url=url, failurePolicy="Fail", blockUnpatchedImages="Audit", requireApprovedDigest="none"
    )
    with apply(plane, objects), kyverno.reports.running():
        wait_until(lambda: read_results(namespace, name_of(old)), "the report on the old Pod", 2 * WAIT_SECONDS)
        wait_until(lambda: read_results(namespace, name_of(good)), "the report on the good Pod", WAIT_SECONDS)
        result, message = read_results(namespace, name_of(old))[0]
        assert (result, message) == ("fail", f"{API}: a patched image is available; use {API_USE}")
        assert read_results(namespace, name_of(good))[0][0] == "pass"
