"""A real Prometheus on loopback: what it scrapes, by which rules, and what it answers."""

import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.plane.program import Program
from tests.ports import choose_ports

SCRAPE_SECONDS = 1
Series = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Who is scraped.

    Attributes:
        job: the name that Prometheus knows it by.
        port: on loopback.
        labels: that its series get, as from service discovery.
        path: of its metrics.
        tls: Prometheus' `tls_config`; plain HTTP without.
    """

    job: str
    port: int
    labels: dict[str, str]
    path: str = "/metrics"
    tls: dict[str, str] | None = None

    def describe(self) -> dict[str, Any]:
        """Describe it as Prometheus' configuration has it."""
        described: dict[str, Any] = {
            "job_name": self.job,
            "metrics_path": self.path,
            "scheme": "https" if self.tls else "http",
            "static_configs": [{"targets": [f"127.0.0.1:{self.port}"], "labels": self.labels}],
        }
        return described | ({"tls_config": self.tls} if self.tls else {})


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    port: int

    def query(self, expression: str) -> list[Series]:
        """Ask for a vector now; a scalar is one without labels."""
        data = self._ask("/api/v1/query", query=expression)
        return [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else list(data["result"])

    def has_numbers(self, expression: str) -> bool:
        """Whether the answer has a number that is one."""
        return any(math.isfinite(float(series["value"][1])) for series in self.query(expression))

    def query_range(self, expression: str, start: float, end: float, step_seconds: float) -> list[Series]:
        """Ask for a matrix between two times (UNIX, seconds)."""
        asked = {"start": str(start), "end": str(end), "step": str(step_seconds)}
        return list(self._ask("/api/v1/query_range", query=expression, **asked)["result"])

    def list_alerts(self) -> list[dict[str, Any]]:
        """List the alerts that fire or will unless it passes."""
        return list(self._ask("/api/v1/alerts")["alerts"])

    def list_rules(self) -> list[dict[str, Any]]:
        """List the rules with how they are."""
        return [rule for group in self._ask("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _ask(self, path: str, **words: str) -> Any:  # noqa: ANN401 -- JSON is what it is
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", f"{path}?{urlencode(words)}")
            answer = json.loads(connection.getresponse().read())
        assert answer["status"] == "success", answer
        return answer["data"]


@contextlib.contextmanager
def run_prometheus(
    program: Path, folder: Path, targets: Sequence[Target], rules: dict[str, Any]
) -> Iterator[Prometheus]:
    """Run it until the block ends. folder: for its data, log and configuration. rules: content of a rule file."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    every = f"{SCRAPE_SECONDS}s"
    configuration = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [target.describe() for target in targets],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    (port,) = choose_ports(1)
    command = [
        str(program),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with Program(command, folder / "prometheus.log", lambda: _is_ready(port)).running():
        yield Prometheus(port)


def _is_ready(port: int) -> bool:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
