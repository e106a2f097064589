"""The inventory: images joined by name, with the strictest verdict, their workloads, and what a list lacks."""

import pytest

from patchgate.policy.inventory import RunningImage, Use, take_inventory
from patchgate.policy.workload import Image
from tests.world import NOW, clean, digest, exceptions, hours_ago, image_list, patched, record, records, snapshot

API = "registry.example.com/myapp/api"
TAG = f"{API}:1.4.2"
WORLD = snapshot(
    image_list(TAG, f"{API}:2.*", f"{API}:base"),
    records({TAG: patched(f"{TAG}-patched-20260509"), f"{API}:base": clean(f"{API}:base", source_digest=digest("b"))}),
)


def inventory(*images: str) -> list[RunningImage]:
    uses = [Use(f"Pod shop/{number}", "shop", Image(image)) for number, image in enumerate(images)]
    return take_inventory(uses, WORLD, NOW)


def only(image: str) -> RunningImage:
    (found,) = inventory(image)
    return found


def test_every_spelling_is_one_image_used_by_all() -> None:
    found = inventory("nginx:1", "docker.io/library/nginx:1", "index.docker.io/nginx:1", "nginx:1")
    assert [(image.image, image.workloads) for image in found] == [
        ("docker.io/library/nginx:1", ("Pod shop/0", "Pod shop/1", "Pod shop/2", "Pod shop/3"))
    ]


def test_images_come_by_repository_and_what_does_not_parse_first() -> None:
    found = inventory("redis:7", f"{API}:9", "nginx:2", "nginx:1", "NGINX")
    assert [image.image for image in found] == [
        "NGINX",
        "docker.io/library/nginx:1",
        "docker.io/library/nginx:2",
        "docker.io/library/redis:7",
        f"{API}:9",
    ]
    assert (found[0].repository, found[0].line, found[0].verdict.reason) == ("", None, "InvalidReference")


@pytest.mark.parametrize(
    ("image", "is_listed", "line"),
    [
        (TAG, True, None),
        (f"{API}:2.7", True, None),
        (f"{API}:2.7@{digest('unknown')}", True, None),
        (f"{TAG}-patched-20260509", True, None),
        (f"{API}@{digest('patched')}", True, None),
        (f"{API}@{digest('source')}", True, None),
        (f"{API}:9", False, f"{API}:9"),
        (f"{API}:9@{digest('unknown')}", False, f"{API}:9"),
        (f"{API}@{digest('unknown')}", False, None),
        (f"{API}:9-patched-20260101", False, None),
        ("nginx", False, "docker.io/library/nginx:latest"),
        ("nginx:1", False, "docker.io/library/nginx:1"),
    ],
)
def test_what_no_list_names_comes_with_the_line_to_add(image: str, is_listed: bool, line: str | None) -> None:
    found = only(image)
    assert (found.is_listed, found.line) == (is_listed, line)


def test_the_strictest_verdict_of_all_places_counts() -> None:
    excepting = f"- {{image: '{TAG}', namespaces: [staging], reason: r, owner: o, expires: 2026-06-01T00:00:00Z}}"
    world = snapshot(image_list(TAG), records({TAG: record(first_vulnerable=hours_ago(30))}), exceptions(excepting))
    staging, shop = (Use(f"Pod {name}/a", name, Image(TAG)) for name in ("staging", "shop"))
    for uses in ([staging, shop], [shop, staging]):
        (found,) = take_inventory(uses, world, NOW)
        assert (found.verdict.reason, found.workloads) == ("SlaBreached", ("Pod shop/a", "Pod staging/a"))
    (excepted,) = take_inventory([staging], world, NOW)
    assert excepted.verdict.reason == "Excepted"


def test_nothing_runs() -> None:
    assert inventory() == []


@pytest.mark.parametrize("text", [" ", "auto"])
def test_a_placeholder_is_no_line_to_add(text: str) -> None:
    (found,) = take_inventory([Use("Deployment shop/x", "shop", Image(text, is_placeholder=True))], WORLD, NOW)
    assert (found.verdict.reason, found.is_listed, found.line) == ("NoImageYet", False, None)
