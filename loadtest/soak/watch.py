"""Watches the gate's process: resident memory each second, open descriptors, threads; and its own metrics."""

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from loadtest.servers import Server, ServerError

CURVE_SECONDS: Final = 30
BASE_SECONDS: Final = 120
WINDOW_SECONDS: Final = 10
_SHOWN: Final = (
    "patchgate_reviews",
    "patchgate_decisions",
    "patchgate_errors",
    "patchgate_refusals",
    "patchgate_snapshots",
    "patchgate_certificate_loads",
    "patchgate_log_lines_lost",
)
"""Counters whose sums are shown, by the label in _BY where they have one."""
_COUNTED: Final = ("patchgate_reviews", "patchgate_errors")
"""What a gate that was asked counts: without it no error would ever be seen."""
_BY: Final = {
    "patchgate_reviews": "allowed",
    "patchgate_decisions": "decision",
    "patchgate_errors": "where",
    "patchgate_refusals": "status",
    "patchgate_certificate_loads": "result",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory so many seconds after the beginning."""

    seconds: float
    mebibytes: float


def sample_memory(server: Server, samples: list[Sample], stopped: threading.Event) -> None:
    """Sample resident memory each second."""
    began = time.monotonic()
    while not stopped.is_set():
        samples.append(Sample(time.monotonic() - began, server.read_memory("VmRSS")))
        stopped.wait(1)


def find_memory(samples: Sequence[Sample], at_seconds: float) -> float:
    """Give the median of the memory within some seconds before that moment, MiB.

    Raises:
        ValueError: there is no sample of that time.
    """
    window = [each.mebibytes for each in samples if at_seconds - WINDOW_SECONDS <= each.seconds <= at_seconds]
    if not window:
        raise ValueError(f"no sample of the seconds before {at_seconds}")
    return statistics.median(window)


def draw_curve(samples: Sequence[Sample]) -> list[Sample]:
    """Give the memory every so many seconds, each the median of the seconds before."""
    last = samples[-1].seconds if samples else 0
    moments = range(CURVE_SECONDS, int(last) + 1, CURVE_SECONDS)
    return [Sample(moment, find_memory(samples, moment)) for moment in moments]


def find_base_seconds(total_seconds: float) -> float:
    """Choose the moment that the end is compared with: after two minutes, or half way where it ends before four."""
    return min(BASE_SECONDS, total_seconds / 2)


def count_descriptors(pid: int) -> int:
    """Count a process' open descriptors."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def count_threads(pid: int) -> int:
    """Count a process' threads."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def read_metrics(ops_port: int) -> str:
    """Read the gate's metrics."""
    connection = HTTPConnection("127.0.0.1", ops_port, timeout=60)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def sum_metrics(text: str) -> dict[str, float]:
    """Sum the counters that are shown, by one of their labels: `patchgate_refusals{status="400"}`.

    Raises:
        ServerError: one of them is not there, so that nothing could be told from its being nought.
    """
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if family.name in _SHOWN and sample.name == f"{family.name}_total":
                label = _BY.get(family.name)
                key = f'{family.name}{{{label}="{sample.labels[label]}"}}' if label else family.name
                sums[key] = sums.get(key, 0) + sample.value
    missing = [name for name in _COUNTED if not any(key.startswith(name) for key in sums)]
    if missing:
        raise ServerError(f"the gate's metrics have no {', '.join(missing)}")
    return sums
