"""What the servers stand on: certificates, the world on disk, the reviews to send; and how each server is started."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.load import CONNECTIONS, Load
from loadtest.peers.build import build_controller_runtime
from loadtest.reviews import HOT, SIZES, Size, write_new_images, write_reviews
from loadtest.servers import Server, choose_port, run_server
from loadtest.world_files import IMAGES, RECORD_CONFIGMAPS, write_world
from loadtest.worlds import name_approved, name_image
from patchgate.pki.issue import issue_ca, issue_server_leaf

_GATE_READY_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Ground:
    """A directory with everything in it."""

    directory: Path

    @property
    def world(self) -> Path:
        """The ConfigMaps."""
        return self.directory / "world"

    def prepare(self, images: int = IMAGES) -> int:
        """Write everything, of a world of so many images; give the number of ConfigMaps."""
        self.write_pair()
        instead = {name_image(number): name_approved(number) for number in HOT}
        (self.directory / "instead.json").write_text(json.dumps(instead), encoding="utf-8")
        for size in SIZES:
            write_reviews(self._bodies(size), size)
        write_new_images(self.directory / "new-images", images)
        return write_world(self.world, images)

    def write_pair(self) -> None:
        """Write certificate and key."""
        now = datetime.now(UTC)
        leaf = issue_server_leaf(issue_ca("loadtest", now), ["127.0.0.1"], now)
        (self.directory / "tls.crt").write_bytes(leaf.certificate_pem)
        (self.directory / "tls.key").write_bytes(leaf.key_pem)

    def load(self, size: Size, connections: int = CONNECTIONS, delay: int = 0) -> Load:
        """Give the load of a size."""
        return Load(self._bodies(size), self.directory / "new-images", connections, delay)

    def run_gate(self, world: Path | None = None, ops_port: int = 0) -> contextlib.AbstractContextManager[Server]:
        """Run the gate on the world, or on another one."""
        port, source = choose_port(), world or self.world
        command = [sys.executable, "-m", "patchgate", "serve", "--source", str(source)]
        command += ["--listen", f"127.0.0.1:{port}", "--ops-listen", f"127.0.0.1:{ops_port}"]
        command += ["--record-configmaps", str(RECORD_CONFIGMAPS), *self._pair()]
        log = self.directory / f"gate-{source.name}.log"
        return run_server("gate", command, port=port, expects="gate", log=log, ready_seconds=_GATE_READY_SECONDS)

    def run_static(self) -> contextlib.AbstractContextManager[Server]:
        """Run uvicorn with static bytes."""
        port = choose_port()
        pair = [str(self.directory / name) for name in ("tls.crt", "tls.key")]
        command = [sys.executable, "-m", "loadtest.peers.static", str(port), *pair]
        return run_server("static", command, port=port, expects="static", log=self.directory / "static.log")

    def run_controller_runtime(self) -> contextlib.AbstractContextManager[Server]:
        """Run the Go webhook, on one processor as the others."""
        port = choose_port()
        command = [str(build_controller_runtime()), "-port", str(port), *self._pair()]
        command += ["-images", str(self.directory / "instead.json")]
        log = self.directory / "controller-runtime.log"
        one = {"GOMAXPROCS": "1"}
        return run_server("controller-runtime", command, port=port, expects="map", log=log, environment=one)

    def _bodies(self, size: Size) -> Path:
        return self.directory / f"bodies-{size.kilobytes}"

    def _pair(self) -> list[str]:
        return ["--tls-cert", str(self.directory / "tls.crt"), "--tls-key", str(self.directory / "tls.key")]


@contextlib.contextmanager
def run_all(ground: Ground) -> Iterator[dict[str, Server]]:
    """Run the gate and its peers side by side."""
    with ground.run_gate() as gate, ground.run_static() as static, ground.run_controller_runtime() as webhook:
        yield {server.name: server for server in (static, gate, webhook)}
