"""P1, P2, P18: indexes on the real chain: pushed elsewhere, a child that is gone, an entry without platform."""

import json
from http.client import HTTPConnection
from typing import Any

from tests.patch.bench import Bench
from tests.patch.registry import Registry
from tests.patch.site import Site

TWO = ("linux/amd64", "linux/arm64/v8")
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
VERSION = "org.opencontainers.image.version"


def read_children(bench: Bench, repository: str, reference: str) -> dict[str, str]:
    children = bench.registry.read_manifest(repository, reference)["manifests"]
    return {each["platform"]["architecture"]: each["digest"] for each in children}


def put_index(registry: Registry, repository: str, tag: str, index: dict[str, Any]) -> str:
    """Push an index whose children are there; gives REGISTRY/REPOSITORY:TAG."""
    connection = HTTPConnection(registry.address, timeout=60)
    path = f"/v2/{repository}/manifests/{tag}"
    connection.request("PUT", path, json.dumps(index).encode(), {"Content-Type": INDEX_TYPE})
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()
    return f"{registry.address}/{repository}:{tag}"


def test_an_index_of_which_one_platform_is_patched_is_pushed_to_another_repository(site: Site, bench: Bench) -> None:
    image = bench.push("text", "push-to/api", "1.0", platforms=TWO)
    address = bench.registry.address
    site.list_images(image, push_to=f"{address}/push-to = {address}/patched")
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    record = site.read_record(image)
    assert record["approved_reference"].startswith(f"{address}/patched/api:1.0-patched-")
    before = read_children(bench, "push-to/api", "1.0")
    after = read_children(bench, "patched/api", record["approved_digest"])
    assert after["arm64"] == before["arm64"]
    assert bench.registry.read_digest("patched/api", after["arm64"]) == after["arm64"]
    assert record["approved_platforms"] == {"linux/amd64": after["amd64"]}
    assert site.patch().results == {image: "unchanged"}


def test_an_approved_index_whose_child_was_cleaned_up_is_patched_anew(site: Site, bench: Bench) -> None:
    image = bench.push("text", "cleaned/api", "1.0", platforms=TWO)
    site.list_images(image)
    assert site.patch().results == {image: "patched"}
    first = site.read_record(image)
    bench.registry.delete("cleaned/api", first["approved_platforms"]["linux/amd64"])
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    again = site.read_record(image)
    assert again["approved_reference"].endswith(".02")
    amd64 = again["approved_platforms"]["linux/amd64"]
    assert bench.registry.read_digest("cleaned/api", amd64) == amd64


def test_the_version_of_a_patched_index_is_its_source_s(site: Site, bench: Bench) -> None:
    plain = bench.push("text", "version/plain", "1.0", platforms=TWO)
    index = bench.registry.read_manifest("version/plain", "1.0")
    index["annotations"] = {VERSION: "1.0", "org.opencontainers.image.source": "https://git.example.com/api"}
    annotated = put_index(bench.registry, "version/plain", "1.1", index)
    site.list_images(plain, annotated)
    run = site.patch("--jobs", "1")
    assert set(run.results.values()) == {"patched"}, run.text
    annotations = {
        image: bench.registry.read_manifest("version/plain", site.read_record(image)["approved_digest"]).get(
            "annotations", {}
        )
        for image in (plain, annotated)
    }
    assert VERSION not in annotations[plain]
    assert annotations[annotated][VERSION] == "1.0"
    assert annotations[annotated]["org.opencontainers.image.source"] == "https://git.example.com/api"


def test_an_index_with_an_entry_without_platform_fails_with_words_and_not_with_a_stack(
    site: Site, bench: Bench
) -> None:
    bench.push("text", "unnamed/api", "1.0", platforms=TWO)
    index = bench.registry.read_manifest("unnamed/api", "1.0")
    bare = {name: value for name, value in index["manifests"][1].items() if name != "platform"}
    index["manifests"].append(bare)
    image = put_index(bench.registry, "unnamed/api", "2.0", index)
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "failed"}, run.text
    assert "its index has an entry without a platform" in run.messages[image]
    assert [tag for tag in bench.registry.read_tags("unnamed/api") if "-candidate-" in tag] == []


def test_a_platform_beside_another_variant_of_it_is_never_taken_for_it(site: Site, bench: Bench) -> None:
    bench.push("text", "variants/api", "1.0", platforms=TWO)
    index = bench.registry.read_manifest("variants/api", "1.0")
    amd64, arm64 = index["manifests"]
    arm64["platform"] = {"os": "linux", "architecture": "amd64", "variant": "v2"}
    image = put_index(bench.registry, "variants/api", "2.0", {**index, "manifests": [amd64, arm64]})
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "failed"}, run.text
    assert "not of linux/amd64" in run.messages[image]
    assert site.read_record(image)["approved_digest"] is None
