"""`make load-patch-memory`: what a patcher keeps resident with 1,000 images of a cluster, and what it writes there.

The patcher is the real one, a process of its own. Registry and kube-apiserver are the tests' simulators, Trivy is a
script: every image is resolved, scanned and recorded in the first run, and verified again in the others.
Writes PATCH_MEMORY.md.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from tests.cli.patch_ground import Ground, open_ground
from tests.patcher.programs import PATH
from tests.sources.cluster.api_simulator import NAMESPACE, ApiSimulator, run_simulator
from tests.world import NAMES, image_list

_RESULTS: Final = Path(__file__).parent / "PATCH_MEMORY.md"
_HEAD: Final = """# What a patcher keeps in memory, and writes

By `make load-patch-memory` on {date}: {machine}.
`patchgate patch --kubernetes` with {images:,} images beside simulators of registry and kube-apiserver. A write is of a
whole ConfigMap, of which etcd keeps every version for minutes; it has the records of all images that waited.
"""
_IMAGES: Final = 1000
_MEMORY_BAR: Final = Bar(250)
_WRITES_BAR: Final = Bar(0.5)  # of runs that find nothing new: a scan takes longer than a write
_RUNS: Final[tuple[tuple[str, int, Bar | None], ...]] = (
    ("every image scanned and recorded, --jobs 4", 4, None),
    ("nothing new, every image verified again, --jobs 4", 4, _WRITES_BAR),
    ("the same, --jobs 16", 16, _WRITES_BAR),
)


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_ground(Path(folder)) as ground,
        run_simulator(ApiSimulator()) as api,
    ):
        api.before = lambda _: api.forget_history()  # nobody watches
        _fill(api, ground)
        figures = [figure for what, jobs, bar in _RUNS for figure in _measure(what, jobs, bar, api, ground)]
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), images=_IMAGES)
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def _fill(api: ApiSimulator, ground: Ground) -> None:
    images = [f"{ground.registry.host}/team-{number % 40}/app-{number}:1.0" for number in range(_IMAGES)]
    api.put(NAMES.image_list, image_list(*images).data)
    for name in NAMES.all_records:
        api.put(name)


def _measure(what: str, jobs: int, bar: Bar | None, api: ApiSimulator, ground: Ground) -> Iterator[Figure]:
    """Run the patcher; give the most that it, or a program that it ran, had resident, and its writes an image."""
    before, began = api.counts["update"], time.monotonic()
    size_mib, told = _run(jobs, api, ground)
    seconds, writes = time.monotonic() - began, api.counts["update"] - before
    yield Figure(f"resident, at the peak: {what}", size_mib, size_mib, size_mib, told, _MEMORY_BAR, unit="MiB")
    each = writes / _IMAGES
    detail = f"{writes:,} writes of a ConfigMap in {seconds:.0f} s"
    yield Figure(f"writes an image: {what}", each, each, each, detail, bar)


def _run(jobs: int, api: ApiSimulator, ground: Ground) -> tuple[float, str]:
    """Run the patcher; give its peak of resident MiB (getrusage(2), ru_maxrss) and what became of the images."""
    arguments = ["--kubernetes", "--system-namespace", NAMESPACE, *ground.arguments[3:], "-o", "json", f"--jobs={jobs}"]
    environment = {
        "PATH": PATH,
        "HOME": str(ground.directory),
        "KUBECONFIG": str(_write_kubeconfig(api, ground.directory)),
    }
    command = [sys.executable, "-m", "patchgate", "patch", *arguments]
    answer = ground.directory / "answer.json"
    with answer.open("wb") as out, (ground.directory / "log").open("wb") as log:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        pid = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError((ground.directory / "log").read_text(encoding="utf-8")[-2000:])
    results = json.loads(answer.read_text(encoding="utf-8"))["results"]
    size_mib = usage.ru_maxrss / 1024
    return size_mib, ", ".join(f"{count:,} {result}" for result, count in results.items() if count)


def _write_kubeconfig(api: ApiSimulator, folder: Path) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "simulator", "cluster": {"server": api.url}}],
        "users": [{"name": "patcher", "user": {}}],
        "contexts": [{"name": "simulator", "context": {"cluster": "simulator", "user": "patcher"}}],
        "current-context": "simulator",
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.exit(main())
