"""Chooses the environment of external programs: nothing reaches them that nobody meant for them.

Programs read settings from variables of their own (`TRIVY_SEVERITY` would hide findings, `COPA_EXPERIMENTAL` patches
what is not scanned for), so an environment is made of what is named here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PASSED: Final = frozenset({"PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "DOCKER_CONFIG"})
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
# of the clouds' credential helpers, and of who they say we are (workload identity)
_CLOUDS: Final = ("AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "ECR_", "GCR_", "ACR_")


def choose_environment(
    environment: Mapping[str, str], docker_config: Path | None, directory: Path, **own: str
) -> dict[str, str]:
    """Choose what a program gets of our environment, and add what it needs.

    docker_config: directory of the docker config, where a setting names one.
    directory: for the program's temporary files.
    own: the program's own variables.
    """
    passed = {name: text for name, text in environment.items() if _is_passed(name)}
    named = {"DOCKER_CONFIG": str(docker_config)} if docker_config else {}
    return passed | named | {"TMPDIR": str(directory)} | own


def _is_passed(name: str) -> bool:
    return name in _PASSED or name.upper() in _PROXIES or name.startswith(_CLOUDS)
