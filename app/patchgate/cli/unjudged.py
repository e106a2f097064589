"""Names what of the manifests was not judged: faults, for which the exit code is 2, and what had nothing to judge."""

import sys

from patchgate.cli.loaded_manifests import LoadedManifests
from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.verdict import show


def print_unjudged(manifests: LoadedManifests) -> None:
    """Print a line on standard error for each."""
    for each in manifests.passed_over:
        count = f"{each.count} " if each.count > 1 else ""
        _print_line(f"note: not judged: {count}{each.what}: {each.reason}")
    for fault in manifests.faults:
        _print_line(f"patchgate: {fault}")


def describe_unjudged(manifests: LoadedManifests) -> dict[str, object]:
    """Describe it for machines."""
    return {
        "faults": [{"where": fault.where, "reason": fault.reason} for fault in manifests.faults],
        "not_judged": [
            {"what": each.what, "count": each.count, "reason": each.reason} for each in manifests.passed_over
        ],
    }


def _print_line(line: str) -> None:
    sys.stderr.write(f"{show(' '.join(line.split()), SHOWN_LINE_CHARACTERS)}\n")
