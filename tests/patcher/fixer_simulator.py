"""A fixer that works: installs newer packages in a copy of an image of the registry simulator, and pushes it."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from patchgate.errors import FixError
from patchgate.patcher.finding import Report
from tests.patcher.registry_simulator import RegistrySimulator, write_image, write_index


@dataclass
class FixerSimulator:
    """Patches what the registry holds.

    Attributes:
        registry: where images come from and go to.
        mirror: package → the version that its package mirror has; the newest that a report asks for where it is not
            named.
        fixed: what was patched: image, target, platforms.
        failures: `REPO:TAG` of the source → why it is not patched.
        during: called while a build goes on, with the image.
        loses: platforms that the outcome lacks.
        is_gone: whether there is nothing to build with.
        pushes: whether anything is pushed at all.
    """

    registry: RegistrySimulator
    mirror: dict[str, int] = field(default_factory=dict)
    fixed: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    during: Callable[[str], None] = lambda _: None
    loses: set[str] = field(default_factory=set)
    is_gone: bool = False
    pushes: bool = True
    known: tuple[str, ...] = ("debian", "alpine")
    builds: "itertools.count[int]" = field(default_factory=itertools.count)

    def probe(self) -> None: ...

    def wait_until_ready(self, limit_seconds: float) -> None:
        assert limit_seconds > 0
        if self.is_gone:
            raise FixError("BuildKit does not answer")

    def can_patch(self, report: Report) -> bool:
        return report.os_family in self.known

    def fix(self, image: str, reports: Sequence[Report], target: str, *, is_index: bool, limit_seconds: float) -> None:
        assert limit_seconds > 0
        assert reports
        assert all(report.findings for report in reports), "Copa would push an unpatched copy"
        self.during(image)
        self.fixed.append((image, target, tuple(report.platform for report in reports)))
        name, _, digest = image.partition("@")
        if name in self.failures:
            raise FixError(self.failures[name])
        if self.pushes:
            self._push(name.rpartition(":")[0], digest, reports, target, is_index=is_index)

    def _push(self, repository: str, digest: str, reports: Sequence[Report], target: str, *, is_index: bool) -> None:
        to, _, _ = target.rpartition(":")
        held = self.registry.read(repository, digest)
        assert is_index == ("manifests" in held), "Copa would lose platforms, or make an index of one"
        by_platform = {report.platform: report for report in reports}
        children = held["manifests"] if is_index else {held["platform"]: digest}
        contents = {
            platform: self._patch(repository, child, by_platform[platform])
            if platform in by_platform
            else self.registry.manifests[repository, child]
            for platform, child in children.items()
            if platform not in self.loses
        }
        if is_index:
            digests = {platform: self.registry.put_child(to, content) for platform, content in contents.items()}
            for platform in by_platform.keys() & contents.keys():  # as Copa does: a tag a platform that it patched
                self.registry.put(f"{target}-{platform.partition('/')[2].replace('/', '-')}", contents[platform])
            self.registry.put(target, write_index(digests, f"build {next(self.builds)}"))
        else:
            self.registry.put(target, *contents.values())

    def _patch(self, repository: str, digest: str, report: Report) -> bytes:
        held = self.registry.read(repository, digest)
        asked = {package: int(fixed) for package, fixed in json.loads(report.file.read_text(encoding="utf-8"))}
        packages = held["packages"] | {name: self.mirror.get(name, fixed) for name, fixed in asked.items()}
        packages |= {f"build-{next(self.builds)}": 1}  # a build never makes the same bytes twice
        return write_image(packages, held["platform"], tuple(held["os"]))
