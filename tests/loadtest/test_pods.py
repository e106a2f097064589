"""What is created: one Pod, as somebody would send it, and images that are decided about as the load expects."""

import json
from pathlib import Path

from loadtest.admission.pods import IMAGE, IMAGES, NAME, UNPATCHED, make_pod, write_images, write_pod
from loadtest.worlds import list_configmaps
from tests.world import snapshot, verdict


def test_a_pod_has_nothing_of_what_the_server_puts_into_one() -> None:
    pod = make_pod("web-1", "registry.example.com/app:1")
    assert pod["metadata"] == {"name": "web-1", "labels": pod["metadata"]["labels"]}
    assert "status" not in pod
    assert "kube-api-access" not in json.dumps(pod)
    assert [each["image"] for each in pod["spec"]["containers"]] == ["registry.example.com/app:1"]


def test_the_script_fills_in_one_name_and_one_image(tmp_path: Path) -> None:
    write_pod(tmp_path / "pod")
    text = (tmp_path / "pod").read_text(encoding="utf-8")
    assert (text.count(NAME), text.count(IMAGE)) == (1, 1)
    assert json.loads(text.replace(NAME, "web-1").replace(IMAGE, "app:1")) == make_pod("web-1", "app:1")


def test_the_gate_admits_each_image_that_is_sent(tmp_path: Path) -> None:
    write_images(tmp_path / "images")
    images = (tmp_path / "images").read_text(encoding="utf-8").splitlines()
    world = snapshot(*list_configmaps(IMAGES))
    assert len(set(images)) == IMAGES // 2
    assert {verdict(image, world).reason for image in images} == {"Approved"}
    assert verdict("registry.example.net/0123abcd/app-2:1.2", world).reason == "NotTracked"


def test_the_gate_refuses_the_unpatched_one() -> None:
    assert not verdict(UNPATCHED, snapshot(*list_configmaps(IMAGES))).allowed
