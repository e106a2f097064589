"""docs/gatekeeper.md: its commands, run from top to bottom."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gatekeeper.controller import Gatekeeper
from tests.plane.control_plane import Plane
from tests.plane.webhooks import configure

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/gatekeeper.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def installed(gatekeeper: Gatekeeper) -> Plane:
    """A plane that has what the chart leaves there: a webhook configuration with the CA, for no namespace."""
    plane = gatekeeper.plane
    plane.kubectl.do("create", "-f", "-", given=configure("patchgate", 8443, plane.credentials.ca.read_bytes(), {}))
    return plane


def run(script: str, plane: Plane) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(plane.kubectl.kubeconfig),
    }
    subprocess.run(["sh", "-ec", script], cwd=ROOT, env=environment, check=True, timeout=200)  # noqa: S607


def test_its_commands_put_the_example_in_force_and_take_it_out_again(installed: Plane) -> None:
    *set_up, undo = BLOCKS
    run("\n".join(set_up), installed)
    provider = installed.kubectl.get("provider", "patchgate")
    assert base64.b64decode(provider["spec"]["caBundle"]) == installed.credentials.ca.read_bytes()
    constraints = installed.kubectl.get("patchgateimages")["items"]
    assert {"patchgate-denials", "patchgate-warnings"} <= {each["metadata"]["name"] for each in constraints}
    run(undo, installed)
    assert not installed.kubectl.ask("get", "provider", "patchgate").is_admitted
    installed.kubectl.do("delete", "validatingwebhookconfiguration", "patchgate")
