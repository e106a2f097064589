"""Changes: which images a request adds, from reviews recorded of kube-apiserver, and which a template keeps."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from msgspec import convert

from patchgate.policy.change import find_change
from patchgate.policy.repository import Repository
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image, Object, Operation
from tests.world import FIXTURES, digest, image_list, patched, record, records, snapshot

API, PATCHED = "registry.example.com/myapp/api:1.4.2", "registry.example.com/myapp/api:1.4.2-patched-20260509"
WORKER = "registry.example.com/myapp/worker:2.1.0"
NOTHING = snapshot(image_list())


@dataclass(frozen=True)
class Request:
    """The part of a recorded review that counts."""

    operation: Operation
    subresource: str | None
    obj: Object | None
    old: Object | None

    @classmethod
    def read(cls, name: str) -> "Request":
        request = json.loads((FIXTURES / "reviews" / f"{name}.json").read_text())["request"]
        obj, old = (read(request[key]) if request.get(key) else None for key in ("object", "oldObject"))
        return cls(Operation(request["operation"]), request.get("subResource"), obj, old)

    def added(self) -> list[str]:
        change = find_change(self.operation, self.obj, self.old, self.subresource, NOTHING)
        return [image.text for image in change.added]


def read(json_object: object) -> Object:
    return convert(json_object, Object)


def pod(*containers: dict[str, str], **spec: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": list(containers), **spec}}


def deployment(*containers: dict[str, str], **spec: object) -> dict[str, object]:
    template = {"spec": {"containers": list(containers), **spec}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("deployment-update-image", [PATCHED]),
        ("deployment-update-replicas", []),
        ("deployment-scale", []),
        ("pod-update-image", [WORKER]),
        ("pod-update-label", []),
        ("pod-ephemeral-container", ["busybox:1.37"]),
        ("pod-resize", []),
        ("pod-status-update", []),
        ("pod-remove-finalizer-while-deleting", []),
        ("pod-remove-finalizer-by-job-controller", []),
        ("pod-delete", []),
        ("configmap-create", []),
    ],
)
def test_an_update_adds_only_what_is_new_and_a_deletion_nothing(review: str, expected: list[str]) -> None:
    assert Request.read(review).added() == expected


def test_an_update_of_something_that_is_being_deleted_adds_nothing() -> None:
    body = pod({"image": "nginx:2"}) | {"metadata": {"deletionTimestamp": "2026-05-09T12:00:00Z"}}
    obj, old = read(body), read(pod({"image": "nginx:1"}))
    assert find_change(Operation.UPDATE, obj, old, None, NOTHING).added == ()
    assert find_change(Operation.CREATE, obj, None, None, NOTHING).added == (Image("nginx:2", "IfNotPresent"),)


@pytest.mark.parametrize(
    ("operation", "subresource", "expected"),
    [
        (Operation.CREATE, None, ["nginx:2"]),
        (Operation.UPDATE, None, ["nginx:2"]),
        (Operation.UPDATE, "not-yet-known", ["nginx:2"]),
        (Operation.CREATE, "not-yet-known", ["nginx:2"]),
        (Operation.UPDATE, "status", []),
        (Operation.CREATE, "status", []),
        (Operation.DELETE, None, []),
        (Operation.CONNECT, "exec", []),
    ],
)
def test_only_status_deletion_and_connection_are_let_through_unseen(
    operation: Operation, subresource: str | None, expected: list[str]
) -> None:
    obj, old = read(pod({"image": "nginx:2"})), read(pod({"image": "nginx:1"}))
    added = find_change(operation, obj, old, subresource, NOTHING).added
    assert [image.text for image in added] == expected


def test_an_update_without_the_old_object_adds_every_image() -> None:
    obj = read(pod({"image": "nginx:2"}))
    assert find_change(Operation.UPDATE, obj, None, None, NOTHING).added == (Image("nginx:2", "IfNotPresent"),)


WORLD = snapshot(
    image_list(API, "docker.io/library/nginx:1", mirrors="mirror.gcr.io = docker.io"),
    records({API: patched(PATCHED)}),
)
REPOSITORY = API.rpartition(":")[0]
SOURCE, SOURCE_AMD64, OTHER = digest("source"), digest("source-amd64"), digest("other")


def added(old: str, new: str, world: Snapshot = WORLD, policies: tuple[str, str] = ("Always", "Always")) -> bool:
    """Whether an update from one image to the other adds it. policies: the old pull policy, the new one."""
    before, after = (
        {"image": image, "imagePullPolicy": policy} for image, policy in zip((old, new), policies, strict=True)
    )
    found = {
        bool(find_change(Operation.UPDATE, read(make(after)), read(make(before)), None, world).added)
        for make in (pod, deployment)
    }
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (API, "REGISTRY.example.com:0443/myapp/api:1.4.2"),
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1", "index.docker.io/nginx:1"),
        ("nginx:1", "mirror.gcr.io/library/nginx:1"),
        ("[::ffff:a00:5]:5000/x:1", "10.0.0.5:5000/x:1"),
        (f"{API}@{OTHER}", f"{REPOSITORY}@{OTHER}"),
        (f"{REPOSITORY}@{OTHER}", f"{REPOSITORY}:9@{OTHER}"),
        (API, f"{API}@{SOURCE}"),
        (API, f"{REPOSITORY}@{SOURCE}"),
        (API, f"{REPOSITORY}@{SOURCE_AMD64}"),
        ("not an image", "not an image"),
    ],
)
def test_what_a_node_pulls_from_the_same_place_is_not_added(old: str, new: str) -> None:
    assert not added(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (API, f"{API}@{OTHER}"),
        (f"{API}@{SOURCE}", API),
        (f"{API}@{SOURCE}", f"{API}@{OTHER}"),
        (API, PATCHED),
        (PATCHED, f"{API}@{SOURCE}"),
        (API, f"registry.example.com/myapp/other@{SOURCE}"),
        ("nginx:1", "registry.example.com/library/nginx:1"),
        ("not an image", "no image either"),
    ],
)
def test_what_a_node_pulls_from_elsewhere_is_added(old: str, new: str) -> None:
    assert added(old, new)


def test_a_digest_that_the_tag_named_before_is_added() -> None:
    moved = record(source_digest=digest("new"), source_platforms={}, earlier_sources=[digest("old")])
    world = snapshot(image_list(API), records({API: moved}))
    assert not added(API, f"{API}@{digest('new')}", world)
    assert added(API, f"{API}@{digest('old')}", world)


@pytest.mark.parametrize(
    ("old", "new", "is_added"),
    [
        ("Always", "IfNotPresent", True),
        ("Always", "Never", True),
        ("IfNotPresent", "Never", False),
        ("Never", "IfNotPresent", False),
        ("IfNotPresent", "Always", False),
        ("Never", "Always", False),
        ("Always", "Always", False),
    ],
)
def test_a_tag_that_is_no_longer_pulled_at_each_start_is_added(old: str, new: str, *, is_added: bool) -> None:
    assert added(API, API, policies=(old, new)) is is_added
    assert added(API, API.replace("registry", "Registry"), policies=(old, new)) is is_added
    assert not added(f"{API}@{OTHER}", f"{API}@{OTHER}", policies=(old, new))


def test_the_pull_policy_of_an_image_volume_is_looked_at_too() -> None:
    before, after = (
        read(deployment(volumes=[{"name": "v", "image": {"reference": API, "pullPolicy": policy}}]))
        for policy in ("Always", "IfNotPresent")
    )
    assert find_change(Operation.UPDATE, after, before, None, WORLD).added == (Image(API, "IfNotPresent"),)
    assert find_change(Operation.UPDATE, before, after, None, WORLD).added == ()


def test_a_name_that_loses_its_registry_is_added_where_a_node_chooses_one() -> None:
    strict = snapshot(image_list(unqualified="warn"))
    assert added("docker.io/library/nginx:1", "nginx:1", strict)
    assert not added("docker.io/library/nginx:1", "nginx:1")


def test_only_a_template_keeps_images_and_only_on_update() -> None:
    old, new = ({"image": API}, {"image": API, "imagePullPolicy": "Always"}), ({"image": API}, {"image": "nginx:1"})
    change = find_change(Operation.UPDATE, read(deployment(*new)), read(deployment(*old)), None, WORLD)
    assert change.added == (Image("nginx:1", "IfNotPresent"),)
    assert change.kept == (Image(API, "IfNotPresent"),)
    assert find_change(Operation.UPDATE, read(pod(*new)), read(pod(*old)), None, WORLD).kept == ()
    assert find_change(Operation.CREATE, read(deployment(*new)), None, None, WORLD).kept == ()


def test_of_more_old_images_than_anybody_has_only_equal_texts_are_known() -> None:
    old = read(deployment(*({"image": f"x:{number}"} for number in range(1001))))
    new = read(deployment({"image": "x:7"}, {"image": "docker.io/x:8"}))
    change = find_change(Operation.UPDATE, new, old, None, WORLD)
    assert [image.text for image in change.added] == ["docker.io/x:8"]


def test_more_new_images_than_a_request_may_have_are_not_compared() -> None:
    old = read(deployment({"image": "x:1"}))
    new = read(deployment(*({"image": f"docker.io/x:{number}"} for number in range(1001))))
    assert len(find_change(Operation.UPDATE, new, old, None, WORLD).added) == 1001


class CountedRepositories(dict[str, Repository]):
    """Counts how often a repository is looked up."""

    count = 0

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- as dict's own
        self.count += 1
        return super().get(name, default)


def test_each_image_of_an_update_is_looked_up_once_however_many_there_are() -> None:
    counted = CountedRepositories(WORLD.repositories)
    old = read(deployment(*({"image": f"{REPOSITORY}:{number}"} for number in range(1000))))
    new = read(deployment(*({"image": f"{REPOSITORY}@{digest(str(number))}"} for number in range(1000))))
    change = find_change(Operation.UPDATE, new, old, None, replace(WORLD, repositories=counted))
    assert (len(change.added), counted.count) == (1000, 1000)
