"""The report as SARIF 2.1.0 (OASIS, sarif-v2.1.0): what of the images asks for somebody, for code scanning.

An image that is approved has no result. A result stands at the line of the image list that names it.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Final
from urllib.parse import quote

from patchgate.cli.report_table import make_row, say_time_left
from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.overview import TrackedImage
from patchgate.policy.part import BadLine
from patchgate.policy.record import State
from patchgate.policy.verdict import Reason, show

_RULES: Final[dict[str, tuple[str, str]]] = {
    Reason.SLA_BREACHED: ("error", "Not patched within the SLA: Pods of it are refused."),
    Reason.STALE: ("error", "Approved, but not verified lately: Pods of it are refused while the patcher runs."),
    Reason.WITHIN_SLA: ("warning", "Not patched yet: Pods of it are warned about, and refused once the SLA is over."),
    Reason.UNPATCHABLE: ("warning", "Cannot be patched: rebuild it on a newer base, or ask for an exception."),
    Reason.UNSCANNED: ("note", "Listed, and the patcher has not looked at it yet."),
}
"""Reason → level (3.27.10) and what it means."""
_BAD_LINE: Final = "BadLine"
_ALL_RULES: Final = {**_RULES, _BAD_LINE: ("error", "A line of an image list has no effect.")}


def describe_as_sarif(images: Iterable[TrackedImage], bad_lines: Iterable[BadLine]) -> dict[str, object]:
    """Describe what asks for somebody as one run of SARIF."""
    found = ((image, find_reason(image)) for image in images)
    rules = [
        {"id": reason, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}
        for reason, (level, text) in _ALL_RULES.items()
    ]
    driver = {"name": "patchgate", "version": version("patchgate"), "rules": rules}
    results = [_describe_bad_line(line) for line in bad_lines]
    results += [_describe_image(image, reason) for image, reason in found if reason]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def find_reason(image: TrackedImage) -> Reason | None:
    """Find why an image asks for somebody; None where it is approved."""
    if image.is_breached:
        return Reason.SLA_BREACHED
    if image.is_stale:
        return Reason.STALE
    if image.time_left is not None:
        return Reason.WITHIN_SLA
    if image.record is None:
        return Reason.UNSCANNED
    is_hopeless = image.record.state is State.UNPATCHABLE and image.approval is None
    return Reason.UNPATCHABLE if is_hopeless else None


def _describe_image(image: TrackedImage, reason: Reason) -> dict[str, object]:
    message = f"{image.image} ({say_time_left(image)}): {make_row(image)[-1]}"
    return _describe_result(reason, message, image.configmap, image.line, image.image)


def _describe_bad_line(line: BadLine) -> dict[str, object]:
    return _describe_result(_BAD_LINE, f"{line.text}: {line.reason}", line.configmap, line.number, line.text)


def _describe_result(rule: str, message: str, configmap: str, line: int, name: str) -> dict[str, object]:
    uri = f"{quote(configmap)}/images.txt"
    return {
        "ruleId": rule,
        "ruleIndex": list(_ALL_RULES).index(rule),
        "level": _ALL_RULES[rule][0],
        "message": {"text": show(message, SHOWN_LINE_CHARACTERS)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}],
        "partialFingerprints": {"image/v1": name},
    }
