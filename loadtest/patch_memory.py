"""`make load-patch-memory`: what a patcher keeps resident with 1,000 images of a cluster; writes PATCH_MEMORY.md.

The patcher is the real one, a process of its own. Registry and kube-apiserver are the tests' simulators, Trivy is a
script: every image is resolved, scanned and recorded in the first run, and verified again in the second.
"""

import json
import os
import sys
import tempfile
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
_HEAD: Final = """# What a patcher keeps in memory

By `make load-patch-memory` on {date}: {machine}.
`patchgate patch --kubernetes` with {images:,} images, four at a time, beside simulators of registry and kube-apiserver.
"""
_IMAGES: Final = 1000
_BAR: Final = Bar(250)


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_ground(Path(folder)) as ground,
        run_simulator(ApiSimulator()) as api,
    ):
        api.before = lambda _: api.forget_history()  # nobody watches
        _fill(api, ground)
        figures = [
            _measure("resident, at the peak: every image scanned and recorded", api, ground),
            _measure("resident, at the peak: nothing new, every image verified again", api, ground),
        ]
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), images=_IMAGES)
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def _fill(api: ApiSimulator, ground: Ground) -> None:
    images = [f"{ground.registry.host}/team-{number % 40}/app-{number}:1.0" for number in range(_IMAGES)]
    api.put(NAMES.image_list, image_list(*images).data)
    for name in NAMES.all_records:
        api.put(name)


def _measure(what: str, api: ApiSimulator, ground: Ground) -> Figure:
    """Run the patcher; give the most that it, or a program that it ran, had resident (getrusage(2), ru_maxrss)."""
    arguments = ["--kubernetes", "--system-namespace", NAMESPACE, *ground.arguments[3:], "-o", "json"]
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
    told = ", ".join(f"{count:,} {result}" for result, count in results.items() if count)
    return Figure(what, size_mib, size_mib, size_mib, told, _BAR, unit="MiB")


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
