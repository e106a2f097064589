"""Grown reviews: real Pods of the size and with the images that were asked for."""

import json
from pathlib import Path

import pytest

from loadtest.grown import fill_in, grow_template
from loadtest.growth.bodies import write_distinct, write_few_images, write_images_of_a_pod, write_sizes
from loadtest.reviews import NEW, UID
from patchgate.policy.workload import Operation

UID_CHARACTERS = 36


def read(body: str) -> dict[str, object]:
    request: dict[str, object] = json.loads(body.replace(UID, "0" * UID_CHARACTERS), strict=False)["request"]
    return request


def read_lines(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [(line.partition("\t")[0], line.partition("\t")[2]) for line in lines]


def list_images(body: str) -> list[str]:
    pod = read(body)["object"]
    assert isinstance(pod, dict)
    return [container["image"] for container in pod["spec"]["containers"]]


@pytest.mark.parametrize("kilobytes", [15, 300, 3072])
def test_a_body_has_the_size_that_it_should_but_for_the_length_of_its_image(kilobytes: int) -> None:
    body = fill_in(grow_template(1, kilobytes * 1024), ["registry.example.com/app:1"], 7)
    assert len(body) == pytest.approx(kilobytes * 1024, abs=UID_CHARACTERS + 30)
    assert read(body)["operation"] == Operation.CREATE


def test_a_pod_has_as_many_different_images_as_it_should(tmp_path: Path) -> None:
    write_images_of_a_pod(tmp_path / "bodies", 200)
    for is_admitted, body in read_lines(tmp_path / "bodies"):
        images = list_images(body)
        assert len(set(images)) == len(images) == 200
        assert is_admitted == str(int(all("-patched-" in image for image in images)))


def test_half_of_the_pods_are_denied(tmp_path: Path) -> None:
    write_images_of_a_pod(tmp_path / "bodies", 10)
    verdicts = [is_admitted for is_admitted, _ in read_lines(tmp_path / "bodies")]
    assert verdicts.count("0") == verdicts.count("1")


@pytest.mark.parametrize("distinct", [1, 10, 1000])
def test_so_many_distinct_images_are_asked_about(tmp_path: Path, distinct: int) -> None:
    write_distinct(tmp_path / "bodies", distinct)
    asked = [image for _, body in read_lines(tmp_path / "bodies") for image in list_images(body)]
    assert len(set(asked)) == distinct


def test_a_few_images_are_those_of_the_smallest_world(tmp_path: Path) -> None:
    write_few_images(tmp_path / "bodies", tmp_path / "new", 10)
    asked = {(said, image) for said, body in read_lines(tmp_path / "bodies") for image in list_images(body)}
    few = {(said, image) for said, image in asked if image != NEW}
    assert len(few) == 10  # each even one as listed, and its patched name
    assert all("/team-0/app-0:" in image for _, image in few)
    assert all((said == "1") == ("-patched-" in image) for said, image in few)
    assert set(read_lines(tmp_path / "new")) == few


def test_a_world_is_asked_for_what_no_gate_remembers_in_half_of_the_pods(tmp_path: Path) -> None:
    write_few_images(tmp_path / "bodies", tmp_path / "new", 10)
    left_open = [said for said, body in read_lines(tmp_path / "bodies") if NEW in body]
    assert (len(left_open), set(left_open)) == (1000, {"1"})


def test_the_number_of_bodies_is_bounded_by_their_size(tmp_path: Path) -> None:
    write_sizes(tmp_path / "bodies", 3 * 2**20)
    assert 10 < len(read_lines(tmp_path / "bodies")) < 20
