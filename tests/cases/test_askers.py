"""Reviews whose verdict depends on the caller: other controllers (A3), kubelets with static Pods (A8)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from patchgate.policy.case import BUILT_IN_CONTROLLERS
from patchgate.policy.decision import Decision, Mode, Scope
from patchgate.policy.snapshot import Snapshot
from patchgate.server.judge import Judge
from patchgate.server.review import read_review
from tests.world import NOW, digest, hours_ago, image_list, patched, record, records, snapshot

HERE: Final = Path(__file__).parent
API: Final = "registry.example.com/shop/api:1.4.2"
FRONTEND: Final = "registry.example.com/shop/frontend:3.0.1"
ARGO: Final = "system:serviceaccount:argo-rollouts:argo-rollouts"
STRIMZI: Final = "system:serviceaccount:kafka:strimzi-cluster-operator"
NODE: Final = "system:node:node-1"
MIRROR: Final = "kubernetes.io/config.mirror"


@pytest.fixture(scope="module")
def world() -> Snapshot:
    """The images of these cases: one patched two hours ago, one past its SLA."""
    lines = image_list(API, FRONTEND)
    breached = record(source_digest=digest("frontend"), first_vulnerable=hours_ago(72))
    api = patched(f"{API}-patched-20260509", patched=hours_ago(2))
    return snapshot(lines, records({API: api, FRONTEND: breached}))


def read_case(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((HERE / "reviews" / f"{name}.json").read_text(encoding="utf-8"))["review"]
    return case


def decide(
    world: Snapshot,
    review: dict[str, Any],
    *controllers: str,
    scope: Scope = Scope.ALL,
    mode: Mode = Mode.ENFORCE,
    now: datetime = NOW,
) -> Decision:
    judge = Judge(lambda: world, lambda: now, scope, BUILT_IN_CONTROLLERS.union(controllers))
    question = read_review(json.dumps(review).encode()).question
    assert question
    return judge.judge(question, mode, world)


class TestOtherControllers:
    """`--controller-user`."""

    def test_within_the_grace_what_a_named_controller_makes_is_warned_about(self, world: Snapshot) -> None:
        review = read_case("04-argo-replicaset")
        assert not decide(world, review).allowed
        decision = decide(world, review, ARGO)
        assert decision.allowed
        assert "a controller may re-create it until" in decision.warnings[0]

    def test_with_scope_rollouts_what_a_named_controller_makes_is_warned_about(self, world: Snapshot) -> None:
        review = read_case("04-strimzi-pod")
        assert not decide(world, review, scope=Scope.ROLLOUTS).allowed
        decision = decide(world, review, STRIMZI, scope=Scope.ROLLOUTS)
        assert (decision.allowed, len(decision.denied)) == (True, 1)
        assert decision.warnings
        assert decision.audit

    def test_it_is_a_user_and_nothing_that_anybody_may_write(self, world: Snapshot) -> None:
        review = read_case("04-strimzi-pod")
        review["request"]["userInfo"] = {"username": "eve"}
        review["request"]["object"]["metadata"]["ownerReferences"] = [{"kind": "Kafka", "controller": True}]
        assert not decide(world, review, STRIMZI, scope=Scope.ROLLOUTS).allowed

    def test_an_update_by_a_named_controller_is_judged_as_anybodys(self, world: Snapshot) -> None:
        review = read_case("04-strimzi-pod")
        review["request"] |= {"operation": "UPDATE", "oldObject": {"apiVersion": "v1", "kind": "Pod"}}
        assert not decide(world, review, STRIMZI, scope=Scope.ROLLOUTS).allowed

    def test_kubernetes_own_controllers_stay_known(self, world: Snapshot) -> None:
        review = read_case("04-strimzi-pod")
        review["request"]["userInfo"] = {"username": "system:serviceaccount:kube-system:replicaset-controller"}
        assert decide(world, review, STRIMZI, scope=Scope.ROLLOUTS).allowed


class TestMirrorPods:
    """A static Pod runs whatever the gate says; a refusal would only hide it from kubectl."""

    @pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.WARN])
    def test_one_is_allowed_warned_about_and_audited(self, world: Snapshot, mode: Mode) -> None:
        decision = decide(world, read_case("11-mirror-pod"), mode=mode)
        assert decision.allowed
        assert len(decision.denied) == 1
        assert "frontend:3.0.1" in decision.warnings[0]
        assert decision.audit

    def test_without_the_annotation_a_node_s_pod_is_refused(self, world: Snapshot) -> None:
        review = read_case("11-mirror-pod")
        del review["request"]["object"]["metadata"]["annotations"][MIRROR]
        assert not decide(world, review).allowed

    @pytest.mark.parametrize("user", ["eve", "system:serviceaccount:shop:system:node:", "xsystem:node:node-1", ""])
    def test_the_annotation_of_another_user_is_refused(self, world: Snapshot, user: str) -> None:
        review = read_case("11-mirror-pod")
        review["request"]["userInfo"] = {"username": user}
        assert not decide(world, review).allowed

    def test_a_template_is_no_mirror_pod(self, world: Snapshot) -> None:
        review = read_case("11-mirror-pod")
        pod = review["request"]["object"]
        review["request"]["object"] = pod | {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "spec": {"template": {"spec": pod["spec"]}},
        }
        assert not decide(world, review).allowed

    @pytest.mark.parametrize("annotations", [None, {}, {MIRROR: None}, {"a": "b"}])
    def test_other_annotations_are_passed_over(self, world: Snapshot, annotations: object) -> None:
        review = read_case("11-mirror-pod")
        review["request"]["object"]["metadata"]["annotations"] = annotations
        assert not decide(world, review).allowed

    @pytest.mark.parametrize("annotations", [[], {MIRROR: 1}])
    def test_annotations_that_are_none_are_refused_with_their_place(self, annotations: object) -> None:
        review = read_case("11-mirror-pod")
        review["request"]["object"]["metadata"]["annotations"] = annotations
        read = read_review(json.dumps(review).encode())
        assert read.question is None
        assert "metadata.annotations" in read.fault
