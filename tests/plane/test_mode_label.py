"""The chart's ValidatingAdmissionPolicy: who may loosen or tighten a namespace by its label `patchgate.io/mode`."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.webhooks import MODE_LABEL

PROTECTED = {"protected": True, "groups": ["platform"], "users": ["flux"]}
DEVELOPERS = "developers"
REFUSED = "the label patchgate.io/mode is set by platform alone"
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@pytest.fixture(scope="module")
def policy(plane: Plane, helm: Helm) -> Iterator[None]:
    """The policy of the chart in force; everybody of these groups may do anything that it does not forbid."""
    rendering = Chart(helm).render({"webhook": {"modeLabel": PROTECTED}})
    for group in (DEVELOPERS, "platform", "flux"):
        plane.kubectl.do("create", "clusterrolebinding", group, "--clusterrole=cluster-admin", f"--group={group}")
    probe = make_namespace("mode-probe", "warn")
    for kind in KINDS:
        plane.kubectl.do("create", "-f", "-", given=rendering.find(kind, "patchgate-mode-label"))
    somebody = log_in(plane, "somebody", DEVELOPERS)
    wait_until(lambda: REFUSED in somebody.create(probe, "--dry-run=server").errors, "the policy in force")
    yield
    for kind in KINDS:
        plane.kubectl.do("delete", kind, "patchgate-mode-label")
    # what other modules label goes by the caller that has heard of it last
    wait_until(lambda: somebody.create(probe, "--dry-run=server").is_admitted, "the policy gone")


@pytest.fixture(scope="module")
def developer(plane: Plane, policy: None) -> Kubectl:  # noqa: ARG001
    """One who is outside of the named groups."""
    return log_in(plane, "developer", DEVELOPERS)


@pytest.fixture(scope="module")
def engineer(plane: Plane, policy: None) -> Kubectl:  # noqa: ARG001
    """One of a named group."""
    return log_in(plane, "engineer", "platform")


def log_in(plane: Plane, user: str, group: str) -> Kubectl:
    return Kubectl(plane.credentials.write_kubeconfig(plane.server, user, group))


def make_namespace(name: str, mode: str | None = None) -> dict[str, Any]:
    labels = {"team": "shop"} | ({MODE_LABEL: mode} if mode else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def test_somebody_else_makes_no_namespace_with_it(developer: Kubectl) -> None:
    said = developer.create(make_namespace("loose", "audit"))
    assert "(Forbidden)" in said.errors
    assert REFUSED in said.errors
    assert developer.create(make_namespace("plain")).is_admitted


def test_nor_sets_changes_or_removes_it_and_may_change_all_else(developer: Kubectl, engineer: Kubectl) -> None:
    for each in (make_namespace("without"), make_namespace("with", "warn")):
        assert engineer.create(each).is_admitted
    assert REFUSED in developer.ask("label", "namespace", "without", f"{MODE_LABEL}=audit").errors
    assert REFUSED in developer.ask("label", "namespace", "with", f"{MODE_LABEL}=audit", "--overwrite").errors
    assert REFUSED in developer.ask("label", "namespace", "with", f"{MODE_LABEL}-").errors
    assert developer.ask("label", "namespace", "with", "team=other", "--overwrite").is_admitted
    assert developer.get("namespace", "with")["metadata"]["labels"][MODE_LABEL] == "warn"
    assert developer.ask("delete", "namespace", "with", "--wait=false").is_admitted


def test_nor_by_way_of_a_namespace_s_status_which_carries_labels_too(developer: Kubectl, engineer: Kubectl) -> None:
    assert engineer.create(make_namespace("status")).is_admitted
    change = {"metadata": {"labels": {MODE_LABEL: "audit"}}}
    said = developer.patch("namespace/status", change, "--subresource=status", kind="merge")
    assert REFUSED in said.errors
    assert MODE_LABEL not in developer.get("namespace", "status")["metadata"]["labels"]


def test_a_named_group_does_all_three(engineer: Kubectl) -> None:
    assert engineer.create(make_namespace("theirs", "warn")).is_admitted
    assert engineer.ask("label", "namespace", "theirs", f"{MODE_LABEL}=audit", "--overwrite").is_admitted
    assert engineer.ask("label", "namespace", "theirs", f"{MODE_LABEL}-").is_admitted


def test_so_does_a_named_user_of_no_named_group(plane: Plane, policy: None) -> None:  # noqa: ARG001
    assert log_in(plane, "flux", "flux").create(make_namespace("delivered", "warn")).is_admitted


def test_a_cluster_s_admin_who_is_not_named_is_somebody_else(plane: Plane, policy: None) -> None:  # noqa: ARG001
    assert REFUSED in plane.kubectl.create(make_namespace("admin", "warn"), "--dry-run=server").errors
