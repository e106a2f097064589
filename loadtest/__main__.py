"""`make load`: measures, writes RESULTS.md, and exits 1 where a bar is missed."""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from loadtest.ratio import Ratio
from loadtest.scale import measure

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Measure and write the results."""
    ratios = measure()
    text = write_results(ratios)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(ratio.is_met for ratio in ratios) else 1


def write_results(ratios: list[Ratio]) -> str:
    """Write the results as Markdown."""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [
        "# Measured",
        "",
        f"By `make load` on {datetime.now(UTC):%Y-%m-%d}, {machine}. CPU time, as ratios within one run:",
        "that of the medians, and the range of the rounds' own. A ratio within the A/A row's range is no difference.",
        "",
        "A decision takes as many steps in a large world as in a small one (the row with a bar). What it costs more",
        "about images that are all different is memory: nothing of them is in the processor's caches.",
        "",
        "| what | ratio | range | bar | medians |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {ratio.what} | {ratio.value:.3f}{'' if ratio.is_met else ' (missed)'} "
        f"| {ratio.low:.3f} - {ratio.high:.3f} | {f'≤ {ratio.bar}' if ratio.bar else '-'} | {ratio.detail} |"
        for ratio in ratios
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
