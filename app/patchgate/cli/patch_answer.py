"""Prints what a run of the patcher came to, or would do: a table for people, one line of JSON for machines."""

import json
import sys
from collections.abc import Sequence

from patchgate.cli.options import Format
from patchgate.cli.output import print_table
from patchgate.cli.patch_table import choose_style, say_findings
from patchgate.patcher.preview import Action, Preview
from patchgate.patcher.summary import Summary


def print_summary(summary: Summary, output: Format) -> None:
    """Print every image and what became of it."""
    match output:
        case Format.JSON:
            _print_line(_describe(summary))
        case Format.TABLE:
            rows = [
                [outcome.key, outcome.result.value, say_findings(outcome), f"{outcome.seconds:.0f} s", outcome.message]
                for outcome in summary.outcomes
            ]
            styles = [choose_style(outcome.result) for outcome in summary.outcomes]
            print_table(["IMAGE", "RESULT", "FINDINGS", "TIME", "MESSAGE"], rows, styles)
            sys.stdout.write(f"{summary.say_counts()}\n")


def print_previews(previews: Sequence[Preview], output: Format) -> None:
    """Print every image and what a run would do."""
    match output:
        case Format.JSON:
            images = [{"image": each.key, "action": each.action.value, "message": each.message} for each in previews]
            _print_line({"dry_run": True, "images": images})
        case Format.TABLE:
            rows = [[each.key, each.action.value, each.message] for each in previews]
            styles = ["red" if each.action is Action.FAIL else "" for each in previews]
            print_table(["IMAGE", "WOULD", "MESSAGE"], rows, styles)


def _print_line(content: object) -> None:
    """Print one line, so that it may stand among the lines of a log."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")


def _describe(summary: Summary) -> dict[str, object]:
    return {
        "exit_code": summary.exit_code,
        "began": f"{summary.began:%Y-%m-%dT%H:%M:%SZ}",
        "ended": f"{summary.ended:%Y-%m-%dT%H:%M:%SZ}",
        "results": {result.value: count for result, count in summary.results.items()},
        "images": [
            {
                "image": outcome.key,
                "result": outcome.result.value,
                "message": outcome.message,
                "fixable_before": dict(outcome.fixable_before),
                "fixable_after": dict(outcome.fixable_after),
                "seconds": round(outcome.seconds, 1),
            }
            for outcome in summary.outcomes
        ],
    }
