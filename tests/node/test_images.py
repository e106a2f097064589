"""Images get to the node as they get to any: built, pushed, pulled by their names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.addresses import REGISTRY
from tests.node.image_build import Build, Builder
from tests.node.images import BUSYBOX
from tests.node.node import Node
from tests.node.rootless_buildkit import NAME, buildkit_pod
from tests.node.workloads import container, pod_spec, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl

SETTINGS = f'[registry."{REGISTRY}"]\nhttp = true\n'
BUILD = f"""
cd "$(mktemp -d)"
printf 'FROM {REGISTRY}/{BUSYBOX}\nUSER 0\nRUN echo as $(id -u) > /said\n' > Dockerfile
buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=. --output type=local,dest=out
cat out/said
"""


@pytest.fixture(scope="module")
def inside(node: Node) -> Iterator[Kubectl]:
    yield node.make_namespace("images")
    node.kubectl.do("delete", "namespace", "images", "--wait=false")


def test_an_image_that_buildkit_built_runs_under_the_name_that_users_give_it(
    builder: Builder, inside: Kubectl, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(
        "ARG BASE\nFROM $BASE AS words\nRUN echo built > /tmp/said\nFROM words\nCOPY --from=more word /word\n"
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more/word").write_text("and copied\n")
    build = Build(arguments={"BASE": builder.name(BUSYBOX)}, contexts={"more": tmp_path / "more"})
    builder.build("team/words:1", tmp_path, build)
    spec = pod_spec([container("main", "cat /tmp/said /word", image="ghcr.io/team/words:1")], restartPolicy="Never")
    inside.do(
        "create", "-f", "-", given={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "words"}, "spec": spec}
    )
    wait_for(inside, "pod/words", "jsonpath={.status.phase}=Succeeded")
    wait_until(lambda: inside.do("logs", "words").out == "built\nand copied\n", "the log of a Pod")


@pytest.mark.usefixtures("buildkit_image")
def test_rootless_buildkit_builds_in_a_pod_without_privileges(inside: Kubectl) -> None:
    inside.do("create", "configmap", NAME, f"--from-literal=buildkitd.toml={SETTINGS}")
    inside.do("create", "-f", "-", given=buildkit_pod())
    wait_for(inside, f"pod/{NAME}", "condition=Ready")
    assert inside.do("exec", NAME, "--", "sh", "-ec", BUILD).out.endswith("as 0\n")
    inside.do("delete", "pod", NAME, "--now")
