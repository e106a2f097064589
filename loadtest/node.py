"""`make load-node`: how long an install takes until it refuses, on a real node within this machine; writes NODE.md.

The chart with its own values, the images of this repository's Dockerfile. Needs root on Debian, as `make node` does.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, summarize
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from tests.chart.helm import Helm
from tests.node.image_build import Builder
from tests.node.installed import Installed, is_refused, prepare_installed, remove
from tests.node.node import Node, run_node
from tests.node.programs import Built
from tests.node.release_images import make_release_images
from tests.node.rootless_buildkit import make_rootless_buildkit
from tests.node.shop import Shop, push_shop
from tests.patch.bench import Programs, find_built
from tests.patch.buildkit import run_buildkit
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import COREDNS, ETCD, HELM, KUBERNETES, NODE

_RESULTS: Final = Path(__file__).parent / "NODE.md"
_HEAD: Final = """# Installing

By `make load-node` on {date}: {machine}.
The chart with its own values on a real node (kubelet, containerd, kube-proxy), all on the same cores, its images there
already. From the command's start: `helm install`, an image named and its record written, an unpatched Pod refused. Each
round begins without anything of the one before.
"""
_ROUNDS: Final = 3
_BAR: Final = Bar(60)
_PATIENCE_SECONDS: Final = 180


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where the bar is missed, 2 where programs are missing."""
    cache = find_cache()
    etcd, kubernetes, node, coredns, helm = (
        find_programs(module, cache) for module in (ETCD, KUBERNETES, NODE, COREDNS, HELM)
    )
    programs = find_built(cache)
    if not (etcd and kubernetes and node and coredns and helm and programs):
        print("kube-apiserver, kubelet and their like are not built here; make tools does", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        running = stack.enter_context(run_node(Built(etcd, kubernetes, node, coredns), _make(folder / "node")))
        shop = _push_images(running, programs, folder)
        figures = list(measure(running, Helm(helm / "helm"), shop, folder))
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def measure(node: Node, helm: Helm, shop: Shop, folder: Path) -> Iterator[Figure]:
    """Measure installs; one before them has the node pull the images."""
    release, people = prepare_installed(node, helm), node.make_namespace("shop")
    rounds = [_time_install(release, people, shop, folder / f"round-{number}") for number in range(_ROUNDS + 1)]
    commands, refusals = zip(*rounds[1:], strict=True)
    yield summarize("helm install → it is back", commands, "s", f"{_ROUNDS} rounds")
    yield summarize("helm install → an unpatched Pod is refused", refusals, "s", f"{_ROUNDS} rounds", bar=_BAR)


def _time_install(release: Installed, people: Kubectl, shop: Shop, folder: Path) -> tuple[float, float]:
    """Time an install, in seconds: until the command is back, until a Pod is refused. Nothing is left of it."""
    began = time.monotonic()
    release.do("install")
    back = time.monotonic() - began
    release.fill(_make(folder), *shop.configmaps)
    wait_until(lambda: is_refused(people), "an unpatched Pod is refused", _PATIENCE_SECONDS)
    refused = time.monotonic() - began
    remove(release)
    wait_until(lambda: not release.list_left(), "nothing is left", _PATIENCE_SECONDS)
    return back, refused


def _push_images(node: Node, programs: Programs, folder: Path) -> Shop:
    """Build and push all that the chart names, and the images of the shop."""
    own, address = _make(folder / "buildkit"), node.registry.address
    with run_buildkit(programs.buildkit, own, [address], address) as buildkit:
        builder = Builder(programs.buildkit / "buildctl", buildkit, node.registry, own)
        make_rootless_buildkit(builder)
        make_release_images(builder, programs.trivy, programs.copa)
    return push_shop(node.registry, folder / "shop")


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
