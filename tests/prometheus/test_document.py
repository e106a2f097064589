"""What docs/monitoring.md tells to do is taken by the real programs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART, Helm
from tests.chart.rendering import NAMESPACE, Chart, Rendering
from tests.prometheus.test_alerts import FILE, run_promtool

TEXT = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
SCRAPED = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[0]
META = "__meta_kubernetes_"


def list_discovered(rendering: Rendering) -> Iterator[dict[str, Any]]:
    """List what Kubernetes' service discovery makes of the chart's Pods: a target each port."""
    for workload, pod in rendering.pods.items():
        labels = {re.sub(r"[./-]", "_", name): value for name, value in pod["metadata"]["labels"].items()}
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                found = {f"{META}pod_label_{name}": value for name, value in labels.items()}
                found |= {f"{META}namespace": NAMESPACE, f"{META}pod_name": workload}
                found |= {f"{META}pod_container_port_name": port["name"]}
                yield {"targets": [f"10.0.0.1:{port['containerPort']}"], "labels": found}


def test_prometheus_scrapes_the_gates_alone_without_an_operator(promtool: Path, helm: Helm, tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_bytes(FILE.read_bytes())
    configuration = yaml.safe_load(SCRAPED)
    (job,) = configuration["scrape_configs"]
    # Debian's Prometheus knows no Kubernetes: its targets are given as its discovery would give them.
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": [NAMESPACE]}}]
    job["static_configs"] = list(list_discovered(Chart(helm).render()))
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    assert run_promtool(promtool, "check", "config", str(file)) == ""
    command = [str(promtool), "check", "service-discovery", "--timeout=10s", str(file), "patchgate"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    kept = [each["labels"] for each in json.loads(said.stdout) if each["labels"]]
    assert [(each["__address__"], each["namespace"], each["pod"]) for each in kept] == [
        ("10.0.0.1:8080", NAMESPACE, "patchgate")
    ]


def test_helm_takes_the_values_for_an_operator(helm: Helm) -> None:
    words = [word for pair in re.findall(r"(--set) (\S+)", TEXT) for word in pair]
    assert words
    operator = ("--kube-version", "1.37.2", "--api-versions", "monitoring.coreos.com/v1/ServiceMonitor")
    out = helm.do("template", "patchgate", str(CHART), *operator, *words)
    found = [each["kind"] for each in yaml.safe_load_all(out) if each and "release" in each["metadata"]["labels"]]
    assert sorted(found) == ["PrometheusRule", "ServiceMonitor"]
