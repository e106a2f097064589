"""The patcher's adapters on the real programs, as a run makes them."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from patchgate.patcher.buildkit import BuildKitSettings
from patchgate.patcher.copa import Copa, CopaSettings
from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from patchgate.patcher.room import Rooms
from patchgate.patcher.trivy import Trivy, TrivySettings
from tests.patch.bench import Bench
from tests.patch.registry import Registry, write_docker_config
from tests.plane.program import PATH

PACE = Pace(tries=2, first_pause_seconds=0.01)


@dataclass(frozen=False)
class Adapters:
    """Made of a bench; each test has its own folder."""

    bench: Bench
    registries: tuple[Registry, ...]
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def environment(self) -> dict[str, str]:
        return {"PATH": PATH, "HOME": str(self.bench.make_folder())}

    @cached_property
    def docker_config(self) -> Path:
        return write_docker_config(self.bench.make_folder(), self.logins)

    @cached_property
    def hosts(self) -> Hosts:
        return Hosts(frozenset(each.address for each in self.registries))

    @cached_property
    def credentials(self) -> Credentials:
        return Credentials(self.docker_config, self.environment, self.stop)

    @cached_property
    def rooms(self) -> Rooms:
        return Rooms(self.bench.make_folder(), self.environment, self.credentials.write)

    @cached_property
    def registry(self) -> OciRegistry:
        transport = Transport(self.environment, PACE, hosts=self.hosts)
        return OciRegistry(Session(self.hosts, self.credentials, transport, PACE, self.stop), self.hosts)

    def make_trivy(self, cache: Path, server: str = "") -> Trivy:
        settings = TrivySettings(str(self.bench.programs.trivy), cache, server, skip_db_update=True)
        return Trivy(
            settings,
            hosts=self.hosts,
            transport=Transport(self.environment, PACE, hosts=self.hosts),
            rooms=self.rooms,
            environment=self.environment,
            stop=self.stop,
            secrets=lambda: self.credentials.secrets,
            warn=self.warnings.append,
        )

    def make_copa(self, buildkit: str = "", vex: Path | None = None) -> Copa:
        address = BuildKitSettings(buildkit or self.bench.buildkit.address)
        return Copa(
            CopaSettings(address, str(self.bench.programs.copa), vex),
            hosts=self.hosts,
            directory=self.bench.make_folder(),
            rooms=self.rooms,
            stop=self.stop,
            secrets=lambda: self.credentials.secrets,
            warn=self.warnings.append,
        )
