"""values.yaml, its schema and its table say the same."""

import json
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, Helm
from tests.chart.matrix import MATRIX
from tests.chart.rendering import Chart
from tools.values_table import TABLE, VALUES, list_values, write_table

TEXT = VALUES.read_text(encoding="utf-8")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def list_sections(values: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the paths of values that hold others, the whole first; resources may be of any name."""
    sections = [path]
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in {"requests", "limits"}:
            sections += list_sections(value, (*path, key))
    return sections


def nest(path: tuple[str, ...], value: object) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def list_closed(schema: dict[str, Any], path: tuple[str, ...] = ()) -> set[str]:
    """List the paths of keys that the schema knows, down to where any are allowed."""
    found = set()
    for key, each in schema.get("properties", {}).items():
        found |= list_closed(each, (*path, key)) or {".".join((*path, key))}
    return found


def test_the_table_is_that_of_the_values() -> None:
    assert TABLE.read_text(encoding="utf-8") == write_table(TEXT), "run python -m tools.values_table"


def test_every_value_is_described() -> None:
    assert not [each.path for each in list_values(TEXT) if not each.description]


def test_the_schema_knows_the_values_and_no_others() -> None:
    free = {f"{who}.resources.{what}" for who in ("gate", "patcher", "buildkit") for what in ("requests", "limits")}
    known = {each for each in list_closed(SCHEMA) if not each.endswith("resources.claims")} - free - {"global"}
    issuer = {f"certificates.certManager.issuerRef.{key}" for key in ("name", "kind", "group")}
    listed = {each.path for each in list_values(TEXT) if not any(each.path.startswith(f"{part}.") for part in free)}
    assert known - issuer == listed - {"certificates.certManager.issuerRef"}


@pytest.mark.parametrize("path", list_sections(yaml.safe_load(TEXT)), ids=lambda path: ".".join(path) or "top")
def test_a_key_that_is_not_there_is_refused(chart: Chart, path: tuple[str, ...]) -> None:
    assert "noSuchKey" in chart.refuse(nest(path, {"noSuchKey": "x"}))


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("webhook.failurePolicy", "fail"),
        ("webhook.timeoutSeconds", 31),
        ("webhook.defaultMode", "deny"),
        ("gate.scope", "everything"),
        ("gate.onError", "ignore"),
        ("gate.replicas", -1),
        ("gate.drainSeconds", "15s"),
        ("gate.port", 443),
        ("gate.image.digest", "sha256:12"),
        ("certificates.mode", "certmanager"),
        ("patcher.shards", 0),
        ("patcher.cache.type", "hostPath"),
        ("buildkit.mode", "privileged"),
        ("buildkit.address", "http://buildkit"),
        ("buildkit.keptStorage", "10Gi"),
        ("patcher.periodSeconds", "6h"),
        ("monitoring.serviceMonitor.enabled", "yes"),
        ("monitoring.serviceMonitor.interval", "30"),
        ("monitoring.alerts.leaveOut", ["KubePodCrashLooping"]),
        ("monitoring.dashboard.label", True),
        ("recordConfigMaps", 1001),
        ("data.imageList", {"images.txt": ["a:1"]}),
    ],
)
def test_a_wrong_value_is_refused(chart: Chart, path: str, wrong: object) -> None:
    *_, last = keys = tuple(path.split("."))
    assert last in chart.refuse(nest(keys, wrong))


@pytest.mark.parametrize("name", MATRIX)
def test_helm_finds_nothing_to_say_of_the_chart(helm: Helm, name: str) -> None:
    said = helm.do("lint", "--strict", "--quiet", "--kube-version", "1.37.2", str(CHART), values=MATRIX[name])
    assert said == ""
