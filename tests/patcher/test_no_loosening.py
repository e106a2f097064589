"""No sequence of runs turns a denied image into an admitted one, except a fix, an exception or a policy change.

A machine over the whole patcher: images are pushed and moved, databases change, things fail, clocks step forward and
back, runs come and go. Whatever was refused stays refused until a scan has found it clean.
"""

import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from patchgate.configmaps.records import read_records
from patchgate.patcher.progress import Result
from patchgate.patcher.record_size import RECORD_BYTES, count_bytes
from patchgate.policy.policy import Severity
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason, Verdict
from tests.patcher.registry_simulator import AMD64, ARM64, write_image, write_index
from tests.patcher.store_simulator import ReadingStore
from tests.patcher.worksite import HOST, Worksite
from tests.world import NOW, image_list, verdict

REPOSITORY = f"{HOST}/shop/api"
TAGS = [f"{REPOSITORY}:{tag}" for tag in ("1.0", "2.0")]
PACKAGES = ["libssl3", "zlib1g"]
MANIFESTS = [
    {"libssl3": 1},
    {"libssl3": 2},
    {"libssl3": 1, "zlib1g": 1},
    {"zlib1g": 1, "new": 1},
]
OTHER_OS = [("photon", "5"), ("", ""), ("alpine", "3.19")]
SYSTEMS = [*(("debian", "12") for _ in MANIFESTS), *OTHER_OS]
CONTENTS = [*MANIFESTS, *({"libssl3": 1} for _ in OTHER_OS)]
INDEXES = [(0, 1), (1, 0), (1, 3), (2, 2)]
"""Indexes of amd64 and arm64, by the number of what they hold."""


@dataclass
class Denied:
    """When an image was refused, and why."""

    at: datetime
    reason: Reason
    path: list[str] = field(default_factory=list)


ADMITS = {Reason.WITHIN_SLA, Reason.UNSCANNED, Reason.UNPATCHABLE, Reason.PATCH_AVAILABLE, Reason.STALE}
"""Reasons that admit an image without a scan that found it clean."""
UNKNOWN = {Reason.UNLISTED, Reason.NOT_TRACKED}
"""Reasons that refuse what nobody has looked at: it may be listed, and looked at, later."""


def is_known_vulnerable(image: str, world: Snapshot) -> bool:
    """Tell whether any scan has found an image vulnerable, as far as records say."""
    repository = world.repositories[REPOSITORY]
    found = repository.find_record(image.removeprefix(f"{REPOSITORY}:"))
    held = [found] if found else repository.sources.get(image.partition("@")[2], ())
    return any(record.first_vulnerable is not None for record in held)


class Runs(RuleBasedStateMachine):
    """Everything that may happen between two Pods of an image."""

    @initialize(
        sla=st.sampled_from(["0", "4", "24"]),
        unpatchable=st.sampled_from(["warn", "deny"]),
        platforms=st.sampled_from([AMD64, f"{AMD64},{ARM64}"]),
        push_to=st.booleans(),
    )
    def begin(self, sla: str, unpatchable: str, platforms: str, *, push_to: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        policy = {"patch_sla_hours": sla, "unpatchable": unpatchable, "platforms": platforms, "stale": "deny-always"}
        policy |= {"push_to": f"{HOST}/shop = {HOST}/patched"} if push_to else {}
        self.site = Worksite(Path(self.folder.name), *TAGS, **policy)
        self.store = self.site.store = ReadingStore((image_list(*TAGS, **policy),), clock=lambda: self.site.now)
        self.denied: dict[tuple[str, bool], Denied] = {}
        self.latest = NOW
        registry = self.site.registry
        self.manifests = [
            {arch: registry.put_child(REPOSITORY, write_image(held, arch, os)) for arch in (AMD64, ARM64)}
            for held, os in zip(CONTENTS, SYSTEMS, strict=True)
        ]
        self.sources = [each[AMD64] for each in self.manifests] + [
            registry.put_child(
                REPOSITORY, write_index({AMD64: self.manifests[one][AMD64], ARM64: self.manifests[two][ARM64]})
            )
            for one, two in INDEXES
        ]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(tag=st.sampled_from(TAGS), number=st.integers(0, len(CONTENTS) + len(INDEXES) - 1))
    def move_tag(self, tag: str, number: int) -> None:
        self.site.registry.tags[tag] = self.sources[number]

    @rule(tag=st.sampled_from(TAGS))
    def delete_tag(self, tag: str) -> None:
        self.site.registry.tags.pop(tag, None)

    @rule(package=st.sampled_from(PACKAGES), fixed=st.integers(0, 3), is_low=st.booleans())
    def change_database(self, package: str, fixed: int, *, is_low: bool) -> None:
        severity = Severity.LOW if is_low else Severity.CRITICAL
        self.site.pass_time(seconds=1)  # no two databases are made in one second
        self.site.update_database(**{package: (fixed, severity)})

    @rule(ended=st.sets(st.sampled_from(["debian", "alpine"])))
    def end_support(self, ended: set[str]) -> None:
        self.site.scanner.ended = ended
        self.site.update_database()

    @rule(tag=st.sampled_from(TAGS), where=st.sampled_from(["scan", "build", "neither"]))
    def fail(self, tag: str, where: str) -> None:
        self.site.scanner.failures.pop(tag, None)
        self.site.fixer.failures.pop(tag, None)
        if where == "scan":
            self.site.scanner.failures[tag] = "time-out"
        elif where == "build":
            self.site.fixer.failures[tag] = "BuildKit is gone"

    @rule(asked=st.sampled_from(["HEAD", "GET", "TAG", "CHECK", ""]))
    def fail_registry(self, asked: str) -> None:
        self.site.registry.failures = {(asked, REPOSITORY): "the registry is gone"} if asked else {}

    @rule(is_behind=st.booleans())
    def lag_mirror(self, *, is_behind: bool) -> None:
        self.site.fixer.mirror = {"libssl3": 1, "zlib1g": 1} if is_behind else {}

    @rule(hours=st.sampled_from([0.5, 3, 5, 23, 25, 60]))
    def pass_time(self, hours: float) -> None:
        self.site.pass_time(hours=hours)

    @rule(hours=st.sampled_from([0.05, 1, 10, 30, 100]))
    def put_clock_back(self, hours: float) -> None:
        self.site.pass_time(hours=-hours)

    @rule(has_new_database=st.booleans())
    def run(self, *, has_new_database: bool) -> None:
        if has_new_database:
            self.site.update_database()
        results = self.site.results(self.site.run())
        for record in self.site.store.records.values():
            assert count_bytes(record) <= RECORD_BYTES
            part = read_records(self.store.write(), None, self.site.now)
            assert part.records[record.key] == record
            if results.get(record.key) in {Result.UNCHANGED, Result.CLEAN, Result.PATCHED}:
                self.check_is_clean(record)

    def check_is_clean(self, record: Record) -> None:
        assert record.approved
        for platform, digest in record.approved.platforms.items():
            held = self.site.registry.read(record.approved.repository, digest)
            assert held["platform"] == platform
            for package, version in held["packages"].items():
                fixed, severity = self.site.scanner.vulnerable.get(package, (0, Severity.LOW))
                assert severity is Severity.LOW or version >= fixed

    def list_images(self) -> list[str]:
        """Everything that a Pod may name: tags and digests of sources, their platforms, and what was patched."""
        platforms = [digest for each in self.manifests for digest in each.values()]
        return [*TAGS, *(f"{REPOSITORY}@{digest}" for digest in (*self.sources, *platforms))]

    @invariant()
    def nothing_is_loosened(self) -> None:
        if not hasattr(self, "site"):
            return
        world, now = self.site.store.load(), self.site.now
        for image in self.list_images():
            for is_always in (False, True):
                found = verdict(image, world, pull_policy="Always" if is_always else "IfNotPresent", now=now)
                self.judge((image, is_always), found, now, is_known=is_known_vulnerable(image, world))

    def judge(self, key: tuple[str, bool], found: Verdict, now: datetime, *, is_known: bool) -> None:
        known = self.denied.get(key)
        if not found.allowed:
            if found.reason not in UNKNOWN and (known is None or now < known.at):
                self.denied[key] = Denied(now, found.reason)
        elif found.reason is Reason.APPROVED or (found.reason is Reason.UNPATCHABLE and not is_known):
            self.denied.pop(key, None)  # a scan has found nothing that counts in it
        elif known and now >= known.at:
            raise AssertionError(f"{key} was {known.reason} at {known.at} and is {found.reason} at {now}: {found.text}")


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def make_site(directory: Path, **policy: str) -> Worksite:
    site = Worksite(directory, TAGS[0], **policy)
    site.store = ReadingStore((image_list(TAGS[0], **policy),), clock=lambda: site.now)
    return site


def test_a_database_made_after_the_clock_was_put_back_is_not_the_one_before(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.registry.push(TAGS[0], {"libssl3": 2})
    site.update_database()
    assert site.run_one().result is Result.CLEAN
    site.pass_time(hours=-10)
    site.update_database(libssl3=(3, Severity.CRITICAL))
    assert site.run_one().result is Result.PATCHED, "both are ahead of the clock, or made now"


def test_what_the_policy_refused_as_unpatchable_gets_no_new_time_from_the_tag_that_moves(tmp_path: Path) -> None:
    site = make_site(tmp_path, unpatchable="deny")
    old = site.registry.push(TAGS[0], {"libssl3": 1}, os=("photon", "5"))
    site.run()
    assert not verdict(TAGS[0], site.store.load()).allowed
    site.registry.push(TAGS[0], {"libssl3": 1})
    site.fixer.failures[TAGS[0]] = "BuildKit is gone"
    site.run()
    for image in (TAGS[0], f"{REPOSITORY}@{old}"):
        assert verdict(image, site.store.load()).reason is Reason.SLA_BREACHED


def test_a_record_that_a_wrong_clock_wrote_is_read_and_written_right_by_the_next_run(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.registry.push(TAGS[0], {"libssl3": 1})
    site.run()
    site.pass_time(hours=-10)
    ahead = site.store.load()
    assert verdict(TAGS[0], ahead, now=site.now).reason is Reason.PATCH_AVAILABLE, "not as if nobody had looked"
    assert [problem.place for problem in ahead.list_problems(site.now)] == [TAGS[0], "last_run"]
    site.update_database()
    site.run()
    assert list(site.store.load().list_problems(site.now)) == []
    assert verdict(TAGS[0], site.store.load(), now=site.now).reason is Reason.PATCH_AVAILABLE
