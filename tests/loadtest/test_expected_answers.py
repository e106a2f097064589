"""What wrk expects of the servers: what the gate decides on that world, and what Kyverno's lists say."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest.peers.direct import SIZE, WORLDS
from loadtest.peers.kyverno_lists import make_lists
from loadtest.reviews import NEW, UID, read_denied, write_new_images, write_reviews
from loadtest.worlds import list_configmaps, name_approved
from tests.world import snapshot, verdict


def read(file: Path) -> list[tuple[bool, str]]:
    """Whether it is admitted, and the text."""
    return [(line[0] == "1", line[2:]) for line in file.read_text(encoding="utf-8").split("\n")]


def image_of(body: str) -> str:
    review: dict[str, Any] = json.loads(body.replace(UID, "uid").replace(NEW, "new"))
    containers = review["request"]["object"]["spec"]["containers"]
    return str(containers[0]["image"])


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reviews") / "bodies"
    write_reviews(file, SIZE)
    return file


@pytest.fixture(scope="module", params=WORLDS)
def images(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def expected(bodies: Path, images: int) -> dict[str, bool]:
    """Every image of the world that is asked for, hot ones and others, and whether it is admitted."""
    file = bodies.with_name(f"new-{images}")
    write_new_images(file, images)
    hot = {image_of(body): admitted for admitted, body in read(bodies) if NEW not in body}
    return hot | {image: admitted for admitted, image in read(file)}


def test_it_is_what_the_gate_decides(images: int, expected: dict[str, bool]) -> None:
    world = snapshot(*list_configmaps(images))
    assert {image: verdict(image, world).allowed for image in expected} == expected


def test_it_is_what_kyvernos_lists_say(images: int, expected: dict[str, bool]) -> None:
    listed, approved = (each["data"]["images.txt"].split("\n") for each in make_lists(images, name_approved))
    assert {image: image not in listed or image in approved for image in expected} == expected


def test_half_of_the_worlds_images_are_denied(images: int, expected: dict[str, bool]) -> None:
    assert sorted(expected.values()) == [False] * (images // 2 - 10) + [True] * (images // 2 - 10)


def test_half_of_the_bodies_have_a_hot_image_half_of_which_are_denied(bodies: Path) -> None:
    hot = [admitted for admitted, body in read(bodies) if NEW not in body]
    assert (len(hot), hot.count(False)) == (1000, 500)


def test_the_review_that_tells_whether_a_policy_is_in_force_is_a_denied_one(bodies: Path) -> None:
    review = json.loads(read_denied(bodies))
    assert review["request"]["uid"] == "22910c99-a1e7-494a-8bc6-e676422328c3"
    assert verdict(image_of(read_denied(bodies).decode()), snapshot(*list_configmaps(100))).allowed is False
