"""Workloads: where an object hides an image; from reviews recorded of kube-apiserver."""

import json

import pytest
from msgspec import convert, to_builtins

from patchgate.policy.workload import Image, Object, Operation, is_judged, list_asked_images, list_images
from tests.world import FIXTURES, digest

API, PATCHED = "registry.example.com/myapp/api:1.4.2", "registry.example.com/myapp/api:1.4.2-patched-20260509"
WORKER, FRONTEND = "registry.example.com/myapp/worker:2.1.0", "registry.example.com/myapp/frontend:3.0.1"
BASE = "registry.example.com/shared/nginx-base:1.25.3"


def read(json_object: object) -> Object:
    return convert(json_object, Object)


def asked_of(review: str) -> list[str]:
    request = json.loads((FIXTURES / "reviews" / f"{review}.json").read_text())["request"]
    images = list_asked_images(Operation(request["operation"]), read(request["object"]), request.get("subResource"))
    return [image.text for image in images]


def pod(*containers: dict[str, str], **spec: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": list(containers), **spec}}


def template(kind: str, api_version: str, image: str = "nginx:1") -> dict[str, object]:
    spec = {"template": {"spec": {"containers": [{"image": image}]}}}
    return {"apiVersion": api_version, "kind": kind, "spec": spec}


def images_of(json_object: dict[str, object]) -> list[str]:
    return [image.text for image in list_images(read(json_object))]


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("pod-create", [API]),
        ("deployment-create", [API]),
        ("replicaset-by-deployment-controller", [API]),
        ("statefulset-create", [API]),
        ("daemonset-create", [BASE]),
        ("job-create", [WORKER]),
        ("job-by-cronjob-controller", [WORKER]),
        ("cronjob-create", [WORKER]),
        ("replicationcontroller-create", [FRONTEND]),
    ],
)
def test_a_creation_asks_for_the_images_of_every_kind(review: str, expected: list[str]) -> None:
    assert asked_of(review) == expected


def test_init_containers_and_image_volumes_are_images_too() -> None:
    by_digest = f"{API.rpartition(':')[0]}@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2"
    assert sorted(asked_of("pod-create-init-and-image-volume")) == sorted([FRONTEND, WORKER, by_digest])


def test_no_object_has_no_images() -> None:
    assert list_asked_images(Operation.CREATE, None, None) == ()


def test_an_image_of_several_containers_is_added_once() -> None:
    obj = read(pod({"image": "nginx:2"}, {"image": "nginx:2"}, initContainers=[{"image": "nginx:2"}]))
    assert list_asked_images(Operation.CREATE, obj, None) == (Image("nginx:2", "IfNotPresent"),)


def test_one_image_under_two_pull_policies_is_two() -> None:
    obj = read(pod({"image": "nginx:2", "imagePullPolicy": "Always"}, {"image": "nginx:2"}))
    added = list_asked_images(Operation.CREATE, obj, None)
    assert added == (Image("nginx:2", "Always"), Image("nginx:2", "IfNotPresent"))


def test_every_place_of_a_pod_is_looked_at() -> None:
    every = pod(
        {"image": "a:1"},
        {"image": "b:1"},
        initContainers=[{"image": "c:1"}],
        ephemeralContainers=[{"image": "d:1"}],
        volumes=[{"name": "none"}, {"image": {"reference": "e:1"}}, {"image": {"reference": "f:1"}}],
    )
    assert sorted(images_of(every)) == ["a:1", "b:1", "c:1", "d:1", "e:1", "f:1"]


@pytest.mark.parametrize(
    "body",
    [pod({"name": "x"}), pod({"image": ""}), pod(volumes=[{"image": {}}]), pod(volumes=[{"image": {"reference": ""}}])],
    ids=["no key", "empty", "volume without reference", "volume with an empty one"],
)
def test_a_missing_image_is_the_empty_one(body: dict[str, object]) -> None:
    assert images_of(body) == [""]


@pytest.mark.parametrize(
    "body",
    [
        {"apiVersion": "v1", "kind": "Pod"},
        {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": None, "volumes": None}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {}}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {}}}},
        {},
    ],
)
def test_half_an_object_has_no_images(body: dict[str, object]) -> None:
    assert images_of(body) == []


FORGED = {"template": {"spec": {"containers": [{"image": "innocent:1"}]}}}
FORGED_JOB = {"jobTemplate": {"spec": FORGED}}


def test_a_pod_is_judged_by_its_containers_whatever_template_it_carries() -> None:
    assert images_of(pod({"image": "evil:1"}, **FORGED, **FORGED_JOB)) == ["evil:1"]


def test_a_cronjob_is_judged_by_its_job_template_alone() -> None:
    job = {"spec": {"template": {"spec": {"containers": [{"image": "evil:1"}]}}}}
    spec = {"jobTemplate": job, "containers": [{"image": "innocent:1"}], **FORGED}
    assert images_of({"apiVersion": "batch/v1", "kind": "CronJob", "spec": spec}) == ["evil:1"]


def test_a_job_is_judged_by_its_template_alone() -> None:
    body = template("Job", "batch/v1", "evil:1")
    body["spec"] = {**to_builtins(read(body))["spec"], **FORGED_JOB}
    assert images_of(body) == ["evil:1"]


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [("Deployment", "apps/v1"), ("Deployment", "extensions/v1beta1"), ("Job", "batch/v1"), ("Pod", "v1"), ("Pod", "")],
)
def test_the_kinds_of_kubernetes_are_judged_in_every_version(kind: str, api_version: str) -> None:
    assert is_judged(api_version, kind)


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [
        ("Job", "batch.volcano.sh/v1alpha1"),
        ("Pod", "metrics.k8s.io/v1"),
        ("ConfigMap", "v1"),
        ("PodTemplate", "v1"),
        ("pod", "v1"),
    ],
)
def test_other_kinds_and_foreign_groups_are_not(kind: str, api_version: str) -> None:
    assert not is_judged(api_version, kind)
    assert images_of(template(kind, api_version)) == []


def test_what_makes_pods_is_a_template_and_a_pod_is_none() -> None:
    kinds = ["Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"]
    assert [kind for kind in kinds if not Object(kind=kind).is_template] == ["Pod"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("localhost:5000/nginx", "Always"),
        (f"nginx:latest@{digest('x')}", "Always"),
        ("nginx:1", "IfNotPresent"),
        (f"nginx@{digest('x')}", "IfNotPresent"),
        (f"nginx:1@{digest('x')}", "IfNotPresent"),
        ("nginx:not-latest", "IfNotPresent"),
    ],
)
def test_the_default_pull_policy_is_that_of_kube_apiserver(image: str, expected: str) -> None:
    obj = read(pod({"image": image}, volumes=[{"image": {"reference": image}}]))
    assert list(list_images(obj)) == [Image(image, expected)] * 2


@pytest.mark.parametrize("repeats", [1, 2, 1001, 5000])
def test_images_that_repeat_are_added_once_however_many(repeats: int) -> None:
    body = pod(
        *({"image": "a"}, {"image": "a", "imagePullPolicy": "Always"}, {"image": "b"}) * repeats,
        volumes=[{"image": {"reference": "c"}}] * repeats,
    )
    assert list_asked_images(Operation.CREATE, read(body), None) == (
        Image("a", "Always"),
        Image("b", "Always"),
        Image("c", "Always"),
    )


def test_of_images_that_repeat_without_end_each_is_listed_once() -> None:
    body = pod(*[{"image": "a:1"}] * 1001, volumes=[{"image": {"reference": "a:1"}}] * 1001)
    assert list_images(read(body)) == [Image("a:1", "IfNotPresent")] * 2


def test_a_pull_policy_that_is_written_stays() -> None:
    body = pod(
        {"image": "a", "imagePullPolicy": "Never"}, volumes=[{"image": {"reference": "b", "pullPolicy": "Never"}}]
    )
    assert list(list_images(read(body))) == [Image("a", "Never"), Image("b", "Never")]


PLACEHOLDERS = {" ": True, "\t\n": True, "auto": True, "": False, "auto:1": False}


@pytest.mark.parametrize("image", PLACEHOLDERS)
def test_a_template_may_name_no_image_yet_and_a_pod_may_not(image: str) -> None:
    in_template, in_pod = template("Deployment", "apps/v1", image), pod({"image": image})
    assert [each.is_placeholder for each in list_images(read(in_template))] == [PLACEHOLDERS[image]]
    assert [each.is_placeholder for each in list_images(read(in_pod))] == [False]
