"""BuildKit in a user namespace of its Pod's own, as the chart has it: real builds, by the real runc and kernel."""

import copy
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart, Object
from tests.groups import leave_out
from tests.node.pod_user_namespace import PodBuildKit
from tools.build import find_programs
from tools.cache import find_cache
from tools.debian import PACKAGES, find_missing
from tools.modules import BUILDKIT

DOCKERFILE = """\
FROM scratch
COPY busybox /busybox
RUN ["/busybox", "sh", "-c", "/busybox ps; /busybox touch /f; /busybox chown 65534:65534 /f; /busybox ls -ln /f"]
"""


@pytest.fixture(scope="module")
def programs() -> Path:
    if os.geteuid() != 0:
        leave_out("it takes root: it makes mounts and namespaces")
    if missing := find_missing(PACKAGES["node"]):
        leave_out(f"missing of Debian: {', '.join(missing)}; make node installs them, as root on Debian")
    found = find_programs(BUILDKIT, find_cache())
    if found is None:
        leave_out("BuildKit is not built here; make tools does")
    assert shutil.which("rootlesskit")
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the ids of a user namespace may enter; pytest's are closed to them."""
    with tempfile.TemporaryDirectory(prefix="patchgate-user-namespace-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def render(helm: Helm, *, user_namespace: bool) -> tuple[Object, Object]:
    rendering = Chart(helm).render({"buildkit": {"userNamespace": user_namespace}})
    data: Any = rendering.find("ConfigMap", "patchgate-buildkit")["data"]
    return rendering.container("patchgate-buildkit", "buildkitd"), data


@pytest.fixture(scope="module")
def chosen(helm: Helm) -> PodBuildKit:
    container, data = render(helm, user_namespace=True)
    return PodBuildKit(container, data["ids"])


def test_a_build_sees_its_own_processes_alone_and_may_give_files_to_nobody(
    programs: Path, chosen: PodBuildKit, folder: Path
) -> None:
    done = chosen.build(programs, folder, DOCKERFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "65534    65534" in done.stdout
    assert "/busybox ps" in done.stdout
    assert "rootlesskit buildkitd" not in done.stdout


def test_without_a_user_namespace_it_sees_buildkitd_and_may_signal_it(
    programs: Path, helm: Helm, chosen: PodBuildKit, folder: Path
) -> None:
    container, _ = render(helm, user_namespace=False)
    done = PodBuildKit(container, chosen.ids).build(programs, folder, DOCKERFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rootlesskit buildkitd" in done.stdout


def test_without_the_whole_of_proc_no_build_step_starts(programs: Path, chosen: PodBuildKit, folder: Path) -> None:
    container = copy.deepcopy(chosen.container)
    del container["securityContext"]["procMount"]
    done = PodBuildKit(container, chosen.ids).build(programs, folder, DOCKERFILE)
    assert done.returncode != 0
    assert "operation not permitted" in done.stdout


def test_the_ids_of_the_image_itself_lie_outside_the_pod_s(programs: Path, chosen: PodBuildKit, folder: Path) -> None:
    done = PodBuildKit(chosen.container, "user:100000:65536\n").build(programs, folder, DOCKERFILE)
    assert done.returncode != 0
    assert "newuidmap" in done.stdout
