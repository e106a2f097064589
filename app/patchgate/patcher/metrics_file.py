"""What a run was like, as a text file for the Prometheus node exporter (its textfile collector), written atomically.

Labels are few and fixed: never the name of an image. Every value of a label is there, so that a 0 is told from nothing.
"""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from patchgate.patcher.summary import Summary
from patchgate.policy.policy import Severity
from patchgate.policy.record import State


def write_metrics(path: Path, summary: Summary) -> None:
    """Write the file anew.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    write_to_textfile(str(path), _gather(summary))


def _gather(summary: Summary) -> CollectorRegistry:
    registry = CollectorRegistry()
    results = Gauge(
        "patchgate_patch_images", "Images of the last run, by what became of them.", ("result",), registry=registry
    )
    for result, count in summary.results.items():
        results.labels(result.value).set(count)
    states = Gauge(
        "patchgate_patch_records", "Listed images by the state of their record.", ("state",), registry=registry
    )
    for state in State:
        states.labels(state.value).set(summary.states.get(state, 0))
    findings = Gauge(
        "patchgate_patch_fixable_findings",
        "Fixable findings of the images that the last run scanned: of the sources, and of what was made of them.",
        ("when", "severity"),
        registry=registry,
    )
    for when, counts in (
        ("before", [outcome.fixable_before for outcome in summary.outcomes]),
        ("after", [outcome.fixable_after for outcome in summary.outcomes]),
    ):
        for severity in Severity:
            findings.labels(when, severity.value).set(sum(each.get(severity.value, 0) for each in counts))
    for name, documentation, value in _list_figures(summary):
        Gauge(name, documentation, registry=registry).set(value)
    return registry


def _list_figures(summary: Summary) -> list[tuple[str, str, float]]:
    figures: list[tuple[str, str, float]] = [
        ("patchgate_patch_last_run_timestamp_seconds", "When the last run ended.", summary.ended.timestamp()),
        (
            "patchgate_patch_last_run_seconds",
            "How long the last run took.",
            summary.seconds,
        ),
        ("patchgate_patch_exit_code", "0 all well, 1 some image failed or was left.", summary.exit_code),
    ]
    if summary.database:
        figures.append(
            (
                "patchgate_patch_database_timestamp_seconds",
                "When the scanner's database was made.",
                summary.database.timestamp(),
            )
        )
    return figures
