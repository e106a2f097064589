"""A gate that is down: what each form does of it under each failurePolicy is what docs/kyverno.md says."""

from pathlib import Path

import pytest

from tests.kyverno.controllers import WAIT_SECONDS
from tests.kyverno.policies import BOTH, Policies, say
from tests.kyverno.site import Site
from tests.plane.control_plane import wait_until
from tests.plane.manifests import pod
from tests.plane.world import API_PATCHED, API_USE, FRONTEND, NOT_TRACKED

REFUSALS = {
    "clusterPolicy": "patchgate does not answer, and kyverno.failurePolicy is Fail",
    "validatingPolicy": "connection refused",
}


def is_admitted(policies: Policies, image: str) -> bool:
    return policies.namespace.create(pod(image)).is_admitted


@pytest.mark.parametrize("form", BOTH)
class TestAskedAtEachReview:
    def test_fail_refuses_everything_that_is_matched(self, site: Site, form: str) -> None:
        with site.enforce(form, failurePolicy="Fail") as (policies, gate):
            assert is_admitted(policies, API_PATCHED)
            gate.stop()
            said = policies.namespace.create(pod(NOT_TRACKED))
            assert not said.is_admitted
            assert REFUSALS[form] in say(said)

    def test_ignore_lets_everything_through(self, site: Site, form: str) -> None:
        with site.enforce(form, failurePolicy="Ignore") as (policies, gate):
            assert not is_admitted(policies, FRONTEND)
            gate.stop()
            said = policies.namespace.create(pod(FRONTEND))
            assert said.is_admitted, said.errors

    @pytest.mark.parametrize("failure_policy", ["Fail", "Ignore"])
    def test_a_gate_that_is_not_ready_is_as_good_as_down(
        self, site: Site, tmp_path: Path, form: str, failure_policy: str
    ) -> None:
        """No list has come yet: it answers 503."""
        with site.run_gate(tmp_path) as cold, site.enforce(form, failurePolicy=failure_policy) as (policies, gate):
            assert not is_admitted(policies, FRONTEND)
            assert is_admitted(policies, NOT_TRACKED)
            site.move(policies, gate, cold)
            changed = NOT_TRACKED if failure_policy == "Fail" else FRONTEND
            wait_until(
                lambda: is_admitted(policies, changed) == (failure_policy == "Ignore"), "cold is asked", WAIT_SECONDS
            )
            assert {is_admitted(policies, image) for image in (NOT_TRACKED, FRONTEND)} == {failure_policy == "Ignore"}


class TestCatalogue:
    """Kyverno keeps no catalogue that it could not fetch anew: without the gate it has none."""

    def test_fail_refuses_even_what_is_not_tracked(self, site: Site) -> None:
        values = {"failurePolicy": "Fail", "requireApprovedDigest": "Deny", "refreshSeconds": 1}
        with site.enforce("catalog", **values) as (policies, gate):
            assert is_admitted(policies, API_USE)
            gate.stop()
            wait_until(lambda: not is_admitted(policies, NOT_TRACKED), "no catalogue", WAIT_SECONDS)

    def test_ignore_lets_everything_through(self, site: Site) -> None:
        values = {"failurePolicy": "Ignore", "requireApprovedDigest": "Deny", "refreshSeconds": 1}
        with site.enforce("catalog", **values) as (policies, gate):
            assert not is_admitted(policies, FRONTEND)
            gate.stop()
            wait_until(lambda: is_admitted(policies, FRONTEND), "no catalogue", WAIT_SECONDS)
