"""The whole way: a vulnerable image is refused, patched, verified and recorded; the running gate admits the patched."""

import json

from tests.conftest import Gate, GateRunner, change, read_recorded
from tests.patch.bench import CLEAN, Bench
from tests.patch.scanner import Scanner
from tests.patch.site import NAMES, Site, approved


def review(gate: Gate, image: str) -> tuple[bool, str]:
    """Ask as kube-apiserver does about a Pod of this image; gives whether it is admitted, and what is said."""
    pod = json.loads(read_recorded("pod-create"))["request"]["object"]
    pod["spec"]["containers"][0]["image"] = image
    response = gate.review(change("pod-create", object=pod)).json["response"]
    return response["allowed"], response.get("status", {}).get("message", "")


def test_what_is_vulnerable_is_patched_and_the_gate_on_the_same_directory_takes_the_patched_one_alone(
    site: Site, bench: Bench, scanner: Scanner, self_signed: GateRunner
) -> None:
    image, clean = bench.push("tls", "first/tls", "1.0"), bench.push(CLEAN, "first/clean", "1.0")
    found = scanner.find(image, bench.make_folder())
    site.list_images(image, clean, unscanned="deny")
    with self_signed(site.source) as gate:
        assert not review(gate, image)[0]
        assert not review(gate, clean)[0]

        run = site.patch()
        assert (run.exit_code, run.results) == (0, {image: "patched", clean: "clean"}), run.text
        record = site.read_record(image)
        gate.wait_until(lambda: review(gate, approved(record))[0])
        is_admitted, message = review(gate, image)
        assert not is_admitted
        assert f"use {approved(record)}" in message
        assert review(gate, record["approved_reference"]) == (True, "")
        gate.wait_until(lambda: review(gate, clean)[0])

    assert (record["state"], record["fixable_after"]) == ("patched", {})
    assert sum(record["fixable_before"].values()) == len(found)
    assert record["source_digest"] == bench.registry.read_digest("first/tls", "1.0")
    assert record["approved_platforms"].keys() == record["source_platforms"].keys() == {"linux/amd64"}
    _, _, tag = record["approved_reference"].rpartition(":")
    assert bench.registry.read_digest("first/tls", tag) == record["approved_digest"]
    assert [name for name in bench.registry.read_tags("first/tls") if "-patched-" in name] == [tag]
    assert scanner.find(approved(record), bench.make_folder()) == set()


def test_digests_are_written_as_the_article_writes_them(site: Site, bench: Bench) -> None:
    image, clean = bench.push("text", "lines/text", "1.0"), bench.push(CLEAN, "lines/clean", "1.0")
    site.list_images(image, clean)
    run = site.patch()
    assert run.exit_code == 0, run.text
    patched, unchanged = site.read_record(image), site.read_record(clean)
    day, host = patched["patched"][:10].replace("-", ""), bench.registry.address
    assert sorted(site.read_data()["digests.txt"].splitlines()) == [
        f"{host}/lines/clean@{unchanged['approved_digest']}  # clean {clean} on {day}",
        f"{host}/lines/text@{patched['approved_digest']}  # patched from {image} on {day}",
    ]
    assert unchanged["approved_digest"] == bench.registry.read_digest("lines/clean", "1.0")
    assert unchanged["approved_reference"] == clean
    assert [file.name for file in sorted(site.source.glob("*.yaml"))] == [
        f"{NAMES.image_list}.yaml",
        f"{NAMES.records}.yaml",
    ]
