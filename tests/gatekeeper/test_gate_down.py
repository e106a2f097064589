"""What becomes of Pods while the gate gives no answer is what docs/gatekeeper.md says: the Constraint decides."""

from pathlib import Path

from tests.conftest import run_gate
from tests.gatekeeper.controller import Gatekeeper
from tests.gatekeeper.policies import put_in_force
from tests.plane.manifests import pod
from tests.plane.world import NOT_TRACKED


def test_a_gate_that_is_away_refuses_or_lets_through_as_the_constraint_says(
    gatekeeper: Gatekeeper, pair: list[str], world: Path
) -> None:
    ca = gatekeeper.plane.credentials.ca
    with run_gate(world, ca, *pair) as gate:
        shut = put_in_force(gatekeeper, "shut", ca.read_bytes(), gate.port)
        opened = put_in_force(gatekeeper, "opened", ca.read_bytes(), gate.port, unanswered="allow")
        assert shut.create(pod(NOT_TRACKED)).is_admitted
    for_now = shut.create(pod(NOT_TRACKED))
    assert for_now.is_admitted, "Gatekeeper remembers an answer for three minutes"
    _, message = shut.create(pod("docker.io/library/busybox:not-asked-before")).refusal
    start = "[patchgate-denials-shut] patchgate did not decide docker.io/library/busybox:not-asked-before: "
    assert message.startswith(start)
    assert "connection refused" in message
    assert opened.create(pod("docker.io/library/busybox:not-asked-before")).is_admitted
    _, message = opened.create(pod("a" * 1025)).refusal  # which no gate takes: nobody is let through by asking too much
    assert message == (
        "[patchgate-denials-opened] patchgate decides at most 1,000 images at a time, each of at most 1,024 characters"
    )


def test_a_gate_that_is_not_ready_is_no_answer(gatekeeper: Gatekeeper, pair: list[str], tmp_path: Path) -> None:
    with run_gate(tmp_path, gatekeeper.plane.credentials.ca, *pair) as gate:
        inside = put_in_force(gatekeeper, "cold", gatekeeper.plane.credentials.ca.read_bytes(), gate.port)
        _, message = inside.create(pod(NOT_TRACKED)).refusal
    assert message == (
        f"[patchgate-denials-cold] patchgate did not decide {NOT_TRACKED}: "
        "not ready: the main image list has not been read yet"
    )
