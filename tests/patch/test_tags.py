"""The tags that Flux follows: never one that was not verified, never one overwritten."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.patch.bench import PACKAGES, Bench
from tests.patch.registry import Registry, Request
from tests.patch.site import Site, approved

FLUX = re.compile(r"-patched-(?P<ts>[0-9]{8}(?:\.[0-9]{2})?)$")
POLL_SECONDS = 0.05
LEAVING_COPA = """#!{python}
import json, os, sys
if "-r" in sys.argv:
    file = sys.argv[sys.argv.index("-r") + 1]
    report = json.load(open(file))
    for result in report["Results"]:
        found = result.get("Vulnerabilities", [])
        result["Vulnerabilities"] = [each for each in found if each["PkgName"] != "libexpat1"]
    json.dump(report, open(file, "w"))
os.execv("{copa}", ["copa", *sys.argv[1:]])
"""


@dataclass
class TagWatch:
    """Looks at the tags of repositories all the time, as Flux does now and then. seen: REPOSITORY:TAG → digests."""

    registry: Registry
    repositories: list[str]
    seen: dict[str, set[str]] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        for repository in self.repositories:
            for tag in filter(FLUX.search, self.registry.read_tags(repository)):
                digest = self.registry.read_digest(repository, tag)
                if digest:  # the registry lists a tag a moment before it has it
                    self.seen.setdefault(f"{self.registry.address}/{repository}:{tag}", set()).add(digest)

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            thread.join()
        self.look()

    def _go_on(self) -> None:
        while not self.is_over.wait(POLL_SECONDS):
            self.look()


def list_verified(requests: list[Request]) -> set[str]:
    """List the digests that Trivy had read whole when their tag was given, of those that got one Flux follows."""
    tagged = {
        (request.repository, request.reference): number
        for number, request in enumerate(requests)
        if (request.method, request.kind) == ("PUT", "manifests") and FLUX.search(request.reference)
    }
    assert tagged
    return {
        request.reference
        for (repository, _), number in tagged.items()
        for request in requests[:number]
        if (request.method, request.repository, request.status) == ("GET", repository, 200)
        and request.kind == "manifests"
        and "trivy" in request.agent
    }


def test_at_no_instant_has_flux_a_tag_that_was_not_verified(site: Site, bench: Bench) -> None:
    repositories = [f"instant/{root}-{number}" for root in PACKAGES for number in range(2)]
    roots = [repository.removeprefix("instant/").partition("-")[0] for repository in repositories]
    images = [bench.push(root, repository, "1.0") for root, repository in zip(roots, repositories, strict=True)]
    site.list_images(*images)
    watch = TagWatch(bench.registry, repositories)
    with watch.looking():
        run = site.patch()
    assert run.results == dict.fromkeys(images, "patched"), run.text
    records = [site.read_record(image) for image in images]
    assert watch.seen == {record["approved_reference"]: {record["approved_digest"]} for record in records}
    assert {record["approved_digest"] for record in records} <= list_verified(run.requests)
    scanner = bench.scan_with(site.database)
    for record in records:
        assert scanner.find(approved(record), bench.make_folder()) == set()


def write_leaving_copa(bench: Bench) -> Path:
    """Write a Copa that leaves libexpat1 as it is: the real one, with a report that does not name it."""
    program = bench.make_folder() / "copa"
    program.write_text(LEAVING_COPA.format(python=sys.executable, copa=bench.programs.copa), encoding="utf-8")
    program.chmod(0o755)
    return program


def test_a_candidate_that_is_still_vulnerable_is_never_tagged_for_flux(site: Site, bench: Bench) -> None:
    image = bench.push("tls", "leaving/app", "1.0")
    site.list_images(image)
    watch = TagWatch(bench.registry, ["leaving/app"])
    with watch.looking():
        run = site.patch("--copa", str(write_leaving_copa(bench)))
    assert run.results == {image: "pending"}, run.text
    assert "the patched image still has" in run.messages[image]
    assert "libexpat1 CVE-" in run.messages[image]
    assert run.builds
    assert watch.seen == {}
    record = site.read_record(image)
    assert (record["approved_reference"], record["approved_digest"]) == (None, None)
    assert record["fixable_after"]
    assert site.check(image) == {image: "WithinSla"}


def test_a_tag_of_today_that_is_there_keeps_its_meaning(site: Site, bench: Bench) -> None:
    now = datetime.now(UTC)
    days = [f"1.0-patched-{day:%Y%m%d}" for day in (now, now + timedelta(days=1))]  # it may be midnight meanwhile
    image = bench.push("text", "taken/app", "1.0")
    bench.push("pictures", "taken/app", *days)
    theirs = bench.registry.read_digest("taken/app", days[0])
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    record = site.read_record(image)
    today = record["approved_reference"].rpartition(":")[2].removesuffix(".02")
    assert today in days
    assert record["approved_reference"] == f"{bench.registry.address}/taken/app:{today}.02"
    assert bench.registry.read_digest("taken/app", today) == theirs
    assert site.check(image.replace(":1.0", f":{today}"), record["approved_reference"]) == {
        image.replace(":1.0", f":{today}"): "Unlisted",
        record["approved_reference"]: "Approved",
    }
