"""F1: the gate is gone: failurePolicy decides, and only where the webhook looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import deployment, name_of, pod
from tests.plane.webhooks import Webhook, guard
from tests.plane.world import API, API_PATCHED

pytestmark = pytest.mark.usefixtures("in_network")


@pytest.fixture(scope="module")
def failing(plane: Plane, world: Path) -> Iterator[Webhook]:
    """A webhook with failurePolicy Fail, whose gate has ended."""
    with guard(plane, "gone-fail", world) as guarded:
        assert guarded.webhook.enforce.create(pod(API_PATCHED)).is_admitted
        assert guarded.gate.stop() == 0
        yield guarded.webhook


@pytest.fixture(scope="module")
def ignored(plane: Plane, world: Path) -> Iterator[Webhook]:
    """A webhook with failurePolicy Ignore, whose gate has ended."""
    with guard(plane, "gone-ignore", world, failurePolicy="Ignore") as guarded:
        assert guarded.webhook.enforce.create(pod(API)).refusal[0] == "PatchAvailable"
        assert guarded.gate.stop() == 0
        yield guarded.webhook


class TestFail:
    def test_even_an_approved_image_is_refused_and_kubectl_says_that_nobody_answers(self, failing: Webhook) -> None:
        said = failing.enforce.create(pod(API_PATCHED))
        assert said.errors.startswith('Error from server (InternalError): error when creating "STDIN": Internal error')
        assert 'failed calling webhook "enforce.gone-fail.patchgate.io"' in said.errors
        assert "connection refused" in said.errors

    @pytest.mark.usefixtures("failing")
    def test_a_namespace_that_it_does_not_match_lives_on(self, plane: Plane) -> None:
        assert plane.kubectl.inside("kube-system").create(pod(API), "--dry-run=server").is_admitted

    def test_what_runs_can_be_deleted(self, failing: Webhook) -> None:
        names = failing.enforce.do("get", "pods", "-o", "name").out.split()
        assert names
        assert failing.enforce.ask("delete", *names, "--grace-period=0", "--force").is_admitted


class TestIgnore:
    def test_everything_is_admitted(self, ignored: Webhook) -> None:
        said = ignored.enforce.create(pod(API))
        assert (said.code, said.warnings) == (0, ())

    def test_so_is_what_controllers_make(self, ignored: Webhook) -> None:
        manifest = deployment(API)
        assert ignored.enforce.create(manifest).is_admitted
        wait_until(
            lambda: ignored.enforce.get("deployment", name_of(manifest))["status"].get("unavailableReplicas"),
            "the Deployment's Pod",
        )
