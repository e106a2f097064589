"""The report as SARIF 2.1.0 (OASIS, sarif-v2.1.0): which images need attention, for code scanning.

With all that GitHub asks for (docs.github.com, "SARIF support for code scanning"): descriptions and help of each rule,
a whole region, a fingerprint that stays when lines move, and no more results than it takes. An approved image has no
result. A result is at the line of the image list that names it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import islice
from typing import Final
from urllib.parse import quote

from patchgate.cli.report_table import make_row, say_time_left
from patchgate.cli.report_urgency import find_reason
from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.verdict import Reason, show

SARIF_RESULTS: Final = 25_000
"""Results of one run: GitHub refuses a file with more. The report's most urgent ones are kept."""
_SHOWN_COLUMNS: Final = 1
_BAD_LINE: Final = "BadLine"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule. level: of its results (3.27.10). severity: GitHub's security-severity, a CVSS score. cure: what to do."""

    level: str
    severity: str
    text: str
    cure: str


_RULES: Final[dict[str, _Rule]] = {
    Reason.SLA_BREACHED: _Rule(
        "error",
        "8.0",
        "Not patched within the SLA: Pods of it are refused.",
        "Fix what the message names and run the patcher again, rebuild the image on a newer base, or add an exception.",
    ),
    Reason.STALE: _Rule(
        "error",
        "7.0",
        "Approved, but not verified lately: Pods of it are refused while the patcher runs.",
        "Find out why the patcher's last runs did not verify this image: its CronJob, its log, its registry.",
    ),
    Reason.WITHIN_SLA: _Rule(
        "warning",
        "5.0",
        "Not patched yet: Pods of it are warned about, and refused once the SLA is over.",
        "Wait for the patcher's next run; if its message names a fault, fix that before the time is over.",
    ),
    Reason.UNPATCHABLE: _Rule(
        "warning",
        "5.0",
        "Cannot be patched: rebuild it on a newer base, or ask for an exception.",
        "Rebuild the image on a newer base, or add an exception with an owner and an end.",
    ),
    Reason.UNSCANNED: _Rule(
        "note",
        "2.0",
        "Listed, and the patcher has not looked at it yet.",
        "Run the patcher, or wait for its next run.",
    ),
    _BAD_LINE: _Rule(
        "error",
        "5.0",
        "A line of an image list has no effect.",
        "Correct the line: one REPO:TAG or REPO:TAG@DIGEST per line, comments behind #.",
    ),
}


def describe_as_sarif(images: Iterable[TrackedImage], bad_lines: Iterable[BadLine]) -> dict[str, object]:
    """Describe what needs attention as one run of SARIF. images: the most urgent first."""
    results = [_describe_bad_line(line) for line in islice(bad_lines, SARIF_RESULTS)]
    found = (_describe_image(image, reason) for image in images if (reason := find_reason(image)))
    results += islice(found, SARIF_RESULTS - len(results))
    number = version("patchgate")
    driver = {
        "name": "patchgate",
        "version": number,
        "semanticVersion": number,
        "rules": [_describe_rule(name, rule) for name, rule in _RULES.items()],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "automationDetails": {"id": "patchgate/"}, "results": results}],
    }


def _describe_rule(name: str, rule: _Rule) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": rule.text},
        "fullDescription": {"text": rule.text},
        "help": {"text": rule.cure},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": ["security"], "precision": "very-high", "security-severity": rule.severity},
    }


def _describe_image(image: TrackedImage, reason: Reason) -> dict[str, object]:
    message = f"{image.image} ({say_time_left(image)}): {make_row(image)[-1]}"
    return _describe_result(reason, message, image.configmap, image.line, image.image)


def _describe_bad_line(line: BadLine) -> dict[str, object]:
    return _describe_result(_BAD_LINE, f"{line.text}: {line.reason}", line.configmap, line.number, line.text)


def _describe_result(rule: str, message: str, configmap: str, line: int, name: str) -> dict[str, object]:
    uri = f"{quote(configmap)}/images.txt"
    region = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1 + _SHOWN_COLUMNS}
    fingerprint = sha256(f"{rule} {configmap} {name}".encode(errors="replace")).hexdigest()[:16]
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": _RULES[rule].level,
        "message": {"text": show(message, SHOWN_LINE_CHARACTERS)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1"},
    }
