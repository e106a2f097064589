"""F3: a gate without an image list: kube-apiserver asks again until it has one, and never takes silence for leave."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Gate, run_gate, write_configmaps
from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import pod
from tests.plane.webhooks import Guarded, Webhook, guard
from tests.plane.world import API, API_PATCHED, WORLD

pytestmark = pytest.mark.usefixtures("in_network")


@dataclass(frozen=True)
class Cold:
    """A webhook whose gate started anew, on an empty directory."""

    webhook: Webhook
    gate: Gate
    source: Path


@pytest.fixture(scope="module")
def left(plane: Plane, world: Path) -> Iterator[Guarded]:
    """A webhook whose gate has ended."""
    with guard(plane, "cold", world, timeoutSeconds=10) as guarded:
        assert guarded.gate.stop() == 0
        yield guarded


@pytest.fixture
def cold(plane: Plane, left: Guarded, tmp_path: Path) -> Iterator[Cold]:
    pair = [f"--tls-{what}={plane.credentials.folder}/cold.{end}" for what, end in (("cert", "crt"), ("key", "key"))]
    same = f"--listen=127.0.0.1:{left.gate.port}"
    with run_gate(tmp_path, plane.credentials.ca, *pair, same) as gate:
        yield Cold(left.webhook, gate, tmp_path)


def count_connections(port: int) -> int:
    """Connections that a port of this machine has now (proc(5), /proc/net/tcp: state 01 is ESTABLISHED)."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


def test_a_pod_that_comes_too_early_is_refused_once_its_time_is_up(cold: Cold) -> None:
    said = cold.webhook.enforce.create(pod(API_PATCHED))
    assert 'failed calling webhook "enforce.cold.patchgate.io"' in said.errors
    assert said.errors.endswith("context deadline exceeded")  # it was asked again until then: a plain 503 says 503


def test_a_pod_that_waits_is_judged_once_the_list_is_there(cold: Cold) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert count_connections(cold.gate.port) == 0
        early = pool.submit(cold.webhook.enforce.create, pod(API))
        wait_until(lambda: count_connections(cold.gate.port), "the review at the gate")
        write_configmaps(cold.source, *WORLD)
        assert early.result().refusal[0] == "PatchAvailable"
    assert cold.webhook.enforce.create(pod(API_PATCHED)).is_admitted
