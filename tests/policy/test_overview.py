"""The overview: each listed image once, with what decides it and the time left."""

from datetime import timedelta

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.overview import TrackedImage, find_tracked_image, list_tracked_images
from tests.world import (
    NOW,
    clean,
    digest,
    hours_ago,
    image_list,
    patched,
    record,
    records,
    snapshot,
    team_list,
)

API = "registry.example.com/myapp/api"


def overview(*configmaps: ConfigMap) -> list[TrackedImage]:
    return list(list_tracked_images(snapshot(*configmaps), NOW))


def only(*configmaps: ConfigMap) -> TrackedImage:
    (image,) = overview(*configmaps)
    return image


def test_images_are_listed_by_repository_and_tag_with_the_line_that_names_them() -> None:
    images = overview(
        image_list(f"{API}:2", "# a comment", f"{API}:1@{digest('pinned')}"), team_list("nginx:1.25", f"{API}:1.5")
    )
    assert [(image.image, image.configmap, image.line) for image in images] == [
        ("docker.io/library/nginx:1.25", "team-images", 1),
        (f"{API}:1@{digest('pinned')}", "copa-image-list", 3),
        (f"{API}:1.5", "team-images", 2),
        (f"{API}:2", "copa-image-list", 1),
    ]


def test_an_image_that_nobody_looked_at_has_no_clock() -> None:
    image = only(image_list(f"{API}:1"))
    assert (image.record, image.approval, image.time_left) == (None, None, None)
    assert (image.is_breached, image.is_stale) == (False, False)


def test_an_approved_image_names_its_approval_and_has_no_clock() -> None:
    image = only(image_list(f"{API}:1"), records({f"{API}:1": patched(f"{API}:1-patched-20260509")}))
    assert str(image.approval) == f"{API}:1-patched-20260509@{digest('patched')}"
    assert (image.time_left, image.is_breached, image.is_stale) == (None, False, False)


def test_a_clean_image_is_its_own_approval() -> None:
    image = only(image_list(f"{API}:1"), records({f"{API}:1": clean(f"{API}:1")}))
    assert str(image.approval) == f"{API}:1@{digest('source')}"


def test_an_approval_that_is_not_fresh_is_stale() -> None:
    stale = patched(f"{API}:1-patched-20260509", verified=hours_ago(25))
    image = only(image_list(f"{API}:1"), records({f"{API}:1": stale}))
    assert (image.approval, image.time_left, image.is_stale, image.is_breached) == (None, None, True, False)


def test_a_pending_image_has_the_rest_of_the_sla() -> None:
    image = only(image_list(f"{API}:1"), records({f"{API}:1": record(first_vulnerable=hours_ago(1))}))
    assert (image.time_left, image.is_breached, image.is_stale) == (timedelta(hours=23), False, False)


def test_a_pending_image_is_breached_from_the_moment_that_its_sla_ends() -> None:
    image = only(image_list(f"{API}:1"), records({f"{API}:1": record(first_vulnerable=hours_ago(24))}))
    assert (image.time_left, image.is_breached) == (timedelta(), True)
    later = only(image_list(f"{API}:1"), records({f"{API}:1": record(first_vulnerable=hours_ago(30))}))
    assert (later.time_left, later.is_breached) == (timedelta(hours=-6), True)


def test_an_image_that_cannot_be_patched_has_no_clock() -> None:
    image = only(image_list(f"{API}:1"), records({f"{API}:1": record(state="unpatchable")}))
    assert (image.time_left, image.is_breached, image.is_stale) == (None, False, False)


def test_a_pattern_stands_for_each_tag_with_a_record() -> None:
    by_key = {f"{API}:{tag}": record() for tag in ("1.1", "1.0", "2.0", "1.0-patched-20260509")}
    images = overview(image_list(f"{API}:1.*"), records(by_key))
    assert [(image.image, image.line) for image in images] == [(f"{API}:1.0", 1), (f"{API}:1.1", 1)]


def test_a_pattern_that_nothing_matched_yet_is_listed_as_it_is() -> None:
    image = only(image_list(f"{API}:1.*"))
    assert (image.image, image.record) == (f"{API}:1.*", None)


def test_a_tag_with_a_line_of_its_own_is_not_listed_again_by_a_pattern() -> None:
    images = overview(image_list(f"{API}:1.*", f"{API}:1.0"), records({f"{API}:1.0": record()}))
    assert [(image.image, image.line) for image in images if image.record] == [(f"{API}:1.0", 2)]


def test_a_tag_that_two_patterns_stand_for_is_listed_once() -> None:
    images = overview(image_list(f"{API}:1.*", f"{API}:1.0*"), records({f"{API}:1.0": record()}))
    assert [image.image for image in images if image.record] == [f"{API}:1.0"]


def test_an_image_whose_patched_one_goes_elsewhere_is_listed_under_its_own_name() -> None:
    target = "registry.example.com/patched/nginx"
    by_key = {"nginx:1": patched(f"{target}:1-patched-20260509")}
    image = only(image_list("nginx:1", push_to=f"docker.io/library/nginx = {target}"), records(by_key))
    assert image.image == "docker.io/library/nginx:1"
    assert image.approval is not None
    assert image.approval.tagged == f"{target}:1-patched-20260509"


def test_records_of_images_that_no_list_names_are_not_listed() -> None:
    assert overview(image_list("nginx:1"), records({f"{API}:1": clean(f"{API}:1")}))[1:] == []


def test_an_image_is_found_by_the_name_that_it_is_listed_under() -> None:
    pinned = f"{API}:1@{digest('pinned')}"
    lists = image_list(pinned, f"{API}:2.*", "localhost:5000/app:3"), records({f"{API}:2.1": record()})
    world = snapshot(*lists)
    listed = list(list_tracked_images(world, NOW))
    assert [image.image for image in listed] == ["localhost:5000/app:3", pinned, f"{API}:2.1"]
    assert [find_tracked_image(image.image, world, NOW) for image in listed] == listed
    others = [f"{API}:1", f"{API}:1@{digest('other')}", f"{API}:2", f"{API}:2.*", f"{API}:2.1@{digest('source')}"]
    assert [find_tracked_image(name, world, NOW) for name in (*others, API, "nginx:1", "", "@", ":")] == [None] * 10
