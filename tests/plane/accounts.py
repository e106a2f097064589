"""A kubeconfig of a ServiceAccount, as a Pod of it would have."""

import json
from pathlib import Path

from tests.plane.kubectl import Kubectl


def write_account_kubeconfig(system: Kubectl, account: str, folder: Path) -> Path:
    """Write one for a ServiceAccount of system's namespace, valid for an hour; gives its file in the folder."""
    token = system.do("create", "token", account).out.strip()
    content = json.loads(system.kubeconfig.read_text(encoding="utf-8"))
    content["users"][0]["user"] = {"token": token}
    file = folder / f"{system.namespace}-{account}.kubeconfig"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
