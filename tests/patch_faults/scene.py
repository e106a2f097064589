"""Where faults strike: two images with an approval each, of which one has a finding since, behind a proxy.

`victim` must be patched anew, and what is approved of it must stay; `other` needs no build, and must go on as if all
were well. Each test has the directory to itself; the registry is put back behind it.
"""

import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from patchgate.configmaps.configmap import Names
from tests.patch.bench import Bench
from tests.patch.site import Run, Site, approved
from tests.patch_faults.http_proxy import Proxy

REPOSITORY = "faults/victim"
STAND_IN = Path(__file__).with_name("stand_in.py")
EVERY_SCAN = r"--platform .*/faults/victim"
SOON_SECONDS = "25"
"""For one image, where a program hangs: a scan takes a second, and the machine may be busy."""


@dataclass(frozen=True)
class Start:
    """What every test starts from.

    Attributes:
        site: with the records of the first run.
        database: that knows one finding more.
        tags: tag → digest of the victim's repository.
    """

    bench: Bench
    site: Site
    database: Path
    victim: str
    other: str
    tags: dict[str, str]


def make_start(bench: Bench, proxy: Proxy) -> Start:
    """Patch both with a database that lacks one finding."""
    behind = replace(bench.registry, address=proxy.address)
    victim, other = bench.push("tls", REPOSITORY, "1.0", to=behind), bench.push("pictures", "faults/other", "1.0")
    known = [fact for fact in bench.facts if fact.source != "expat"]
    assert len(known) < len(bench.facts)
    site = Site.make(bench, bench.write_database(known, datetime.now(UTC) - timedelta(hours=1)))
    site.flags = ["--plain-http", proxy.address]
    site.list_images(victim, other)
    for image in (victim, other):  # in this order: the next run begins with what was verified first
        run = site.patch(image)
        assert run.results == {image: "patched"}, run.text
    return Start(bench, site, bench.write_database(bench.facts), victim, other, read_tags(bench))


def read_tags(bench: Bench) -> dict[str, str]:
    """Read the victim's tags as the registry itself has them: tag → digest."""
    found = {tag: bench.registry.read_digest(REPOSITORY, tag) for tag in bench.registry.read_tags(REPOSITORY)}
    return {tag: digest for tag, digest in found.items() if digest}


@dataclass
class Scene:
    """What one test has."""

    start: Start
    bench: Bench
    site: Site
    proxy: Proxy

    @classmethod
    def make(cls, start: Start, bench: Bench, proxy: Proxy) -> "Scene":
        site = Site.make(bench, start.database)
        site.flags = list(start.site.flags)
        shutil.copytree(start.site.source, site.source, dirs_exist_ok=True)
        return cls(start, bench, site, proxy)

    def clear(self) -> None:
        """Take out of the registry what the test has put in."""
        kept = set(self.start.tags.values())
        for digest in set(read_tags(self.bench).values()) - kept:
            self.bench.registry.delete(REPOSITORY, digest)

    @property
    def victim(self) -> str:
        return self.start.victim

    @property
    def other(self) -> str:
        return self.start.other

    @property
    def earlier(self) -> str:
        """What is approved of the victim: REPO:TAG@DIGEST."""
        return approved(self.start.site.read_record(self.victim))

    @property
    def patched_tags(self) -> dict[str, str]:
        """The victim's new patched tags: tag → digest."""
        now = read_tags(self.bench)
        return {tag: now[tag] for tag in now.keys() - self.start.tags.keys() if "-patched-" in tag}

    def stand_in(self, program: str, what: str, pattern: str) -> tuple[Path, list[str]]:
        """Have one call of Trivy or Copa do something else; gives the file that it makes then, and the flags."""
        folder = self.bench.make_folder()
        mark, real = folder / "mark", getattr(self.bench.programs, program)
        words = [sys.executable, str(STAND_IN), what, pattern, str(mark), str(real)]
        quoted = " ".join(f"'{word}'" for word in words)
        file = folder / program
        file.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n', encoding="utf-8")
        file.chmod(0o755)
        return mark, [f"--{program}", str(file)]

    def expect_failed(self, run: Run, *words: str) -> None:
        """Expect that the victim failed with a message that says what to do, and that nothing else came of it."""
        self.expect_result(run, "failed", *words)
        assert run.exit_code == 1

    def expect_result(self, run: Run, result: str, *words: str) -> None:
        assert run.results == {self.victim: result, self.other: "unchanged"}, run.text
        record = self.site.read_record(self.victim)
        assert [word for word in words if word not in run.messages[self.victim]] == [], run.messages[self.victim]
        assert (record["message"], record["state"]) == (run.messages[self.victim], result)
        assert approved(record) == self.earlier
        assert self.site.check(self.earlier) == {self.earlier: "Approved"}
        assert self.patched_tags == {}
        self.expect_nothing_left()

    def expect_patched(self, run: Run) -> None:
        """Expect that the victim has a new approval, and keeps the one before."""
        assert (run.exit_code, run.results) == (0, {self.victim: "patched", self.other: "unchanged"}), run.text
        record = self.site.read_record(self.victim)
        assert approved(record) != self.earlier
        assert self.site.check(approved(record), self.earlier) == {
            approved(record): "Approved",
            self.earlier: "Approved",
        }
        assert self.bench.scan_with(self.site.database).find(approved(record), self.bench.make_folder()) == set()
        self.expect_nothing_left()

    def expect_nothing_left(self) -> None:
        """Expect no process of a run, no file of it, no half written one, and no lock that nobody holds."""
        assert find_processes(self.site.temporary) == []
        assert list(self.site.temporary.iterdir()) == []
        assert {path.name for path in self.site.source.iterdir() if path.is_file()} == {
            f"{name}.yaml" for name in (Names().image_list, Names().records)
        }
        assert list(self.site.source.glob(".patchgate/*")) == []


def find_processes(temporary: Path) -> list[str]:
    """Find the programs that a run with this TMPDIR has started: it is in the environment of each."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if str(temporary).encode() in environment:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found
