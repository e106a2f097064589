"""The images of a release: who they run as, what they say of themselves, what is in them."""

import json
from collections.abc import Iterator

import pytest

from tests.node.image_build import Builder
from tests.node.node import Node
from tests.node.release_images import REVISION, VERSION
from tests.node.workloads import RESTRICTED, container, pod_spec, wait_for
from tests.patch.debian_suites import run
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tools.modules import COPA, TRIVY

pytestmark = pytest.mark.usefixtures("release_images")
IMAGES = ("gate", "patcher")
END = "-- the end --\n"
"""The last line of a log: a long one is written piece by piece."""
LIST = "/usr/share/patchgate/sbom.cdx.json"


@pytest.fixture(scope="module")
def inside(node: Node) -> Iterator[Kubectl]:
    """A namespace under Pod Security `restricted`."""
    yield node.make_namespace("release-images", RESTRICTED)
    node.kubectl.do("delete", "namespace", "release-images", "--wait=false")


def run_to_the_end(inside: Kubectl, name: str, image: str, script: str) -> str:
    """Run a shell script in a release's image, as the chart would; gives what it printed.

    It lives until it was read: containerd loses the rest of a long log where the process has ended on a busy machine.
    """
    stays = f"set -e\n{script}\necho '{END.strip()}'\nsleep 600"
    main = container("main", stays, image=f"ghcr.io/patchgate/{image}:{VERSION}")
    spec = pod_spec([main], restartPolicy="Never")
    inside.do("create", "-f", "-", given={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    wait_for(inside, f"pod/{name}", "jsonpath={.status.phase}=Running")
    wait_until(lambda: inside.do("logs", name).out.endswith(END), "the end of its log")
    said = inside.do("logs", name).out.removesuffix(END)
    inside.do("delete", "pod", name, "--grace-period=0", "--force")
    return said


@pytest.mark.parametrize("image", IMAGES)
def test_it_is_nobody_s_and_says_what_it_is(builder: Builder, image: str) -> None:
    name = f"docker://{builder.name(f'patchgate/{image}:{VERSION}')}"
    config = json.loads(run("skopeo", "inspect", "--config", "--tls-verify=false", name))["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["patchgate"]
    labels = {key.removeprefix("org.opencontainers.image."): text for key, text in config["Labels"].items()}
    assert labels["title"] == f"patchgate {image}"
    assert (labels["version"], labels["revision"], labels["licenses"]) == (VERSION, REVISION, "Apache-2.0")


@pytest.mark.parametrize("image", IMAGES)
def test_it_lists_what_is_in_it(inside: Kubectl, image: str) -> None:
    components = json.loads(run_to_the_end(inside, f"list-{image}", image, f"cat {LIST}"))["components"]
    names = {each["name"] for each in components}
    assert {"patchgate", "fastapi", "kubernetes", "libc6"} <= names
    assert ("github.com/aquasecurity/trivy" in names) == (image == "patcher")


def test_the_patcher_has_the_pinned_programs_and_the_gate_has_none(inside: Kubectl) -> None:
    said = run_to_the_end(inside, "programs", "patcher", "trivy --version; copa --version")
    assert f"Version: {TRIVY.version.removeprefix('v')}" in said
    assert COPA.version.removeprefix("v") in said
    assert run_to_the_end(inside, "none", "gate", "command -v trivy copa || echo none") == "none\n"
