"""Runs `patchgate report` at the time of the contract's example, on whatever ConfigMaps a test has."""

from pathlib import Path

import pytest
import yaml

from patchgate.configmaps.configmap import ConfigMap
from tests.command import run_patchgate
from tests.world import FIXTURES

SOURCE = FIXTURES / "configmaps"
API = "registry.example.com/myapp/api"


def report(
    capsys: pytest.CaptureFixture[str], source: Path = SOURCE, output: str = "table", *arguments: str
) -> tuple[object, str, str]:
    """Run `patchgate report` at the time of the contract's example; gives exit code, standard output and error."""
    where = ("--source", str(source), "--now", "2026-05-09T12:00:00Z")
    return run_patchgate(capsys, "report", *where, "--output", output, *arguments)


def write(directory: Path, *configmaps: ConfigMap) -> Path:
    """Write the ConfigMaps into a directory."""
    for configmap in configmaps:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": configmap.name}, "data": configmap.data}
        (directory / f"{configmap.name}.yaml").write_text(yaml.safe_dump(obj), encoding="utf-8")
    return directory
