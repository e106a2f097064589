"""docs/sizing.md and docs/comparison.md: their figures are the measured ones."""

import re

import pytest

from tests.docs.blocks import ROOT

MEASURED = {page: (ROOT / "loadtest" / page).read_text(encoding="utf-8") for page in (
    "RESULTS.md", "CLUSTER.md", "PAGE.md", "PATCH.md", "PATCH_MEMORY.md", "CERTIFICATES.md"
)}  # fmt: skip
SIZING = (ROOT / "docs/sizing.md").read_text(encoding="utf-8")


def row(page: str, beginning: str) -> list[str]:
    """The cells of the row that begins so."""
    line = next(line for line in MEASURED[page].splitlines() if line.startswith(f"| {beginning}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def said(beginning: str) -> str:
    """What the page says in the row that begins so."""
    return next(line for line in SIZING.splitlines() if line.startswith(f"| {beginning}"))


def speed(size: str) -> str:
    return row("RESULTS.md", f"{size} | gate")[2]


@pytest.mark.parametrize(
    ("line", "size"),
    [("CPU of a review, 5 KB Pod", "5 KB"), ("of a 15 KB Pod", "15 KB"), ("of a 40 KB Pod", "40 KB")],
)
def test_the_cpu_of_a_review(line: str, size: str) -> None:
    assert f"| {speed(size)} µs |" in said(line)


def test_half_a_core_of_reviews() -> None:
    reviews = int(0.5 / float(speed("40 KB")) * 1e6) // 50 * 50
    assert f"| {reviews:,} reviews a second |" in said("so one core")


@pytest.mark.parametrize(
    ("line", "page", "beginning", "cell"),
    [
        ("resident, 100,000", "RESULTS.md", "resident, at the peak of starting", 1),
        ("resident, 100,000", "RESULTS.md", "resident, at the peak of the changes under load", 1),
        ("the same, once its status page", "PAGE.md", "resident, after it", 1),
        ("a change of the data", "RESULTS.md", "a change on disk", 1),
        ("a change of the data", "CLUSTER.md", "ConfigMap written", 1),
        ("idle", "CLUSTER.md", "nothing happens: CPU", 1),
        ("ten images, first run", "PATCH.md", "first run", 1),
        ("ten images, nothing new", "PATCH.md", "second run", 1),
        ("resident, 1,000 images", "PATCH_MEMORY.md", "resident, at the peak: nothing new", 1),
        ("two shards", "PATCH.md", "two shards", 1),
    ],
)
def test_a_figure_is_the_measured_one(line: str, page: str, beginning: str, cell: int) -> None:
    assert row(page, beginning)[cell] in said(line)


def test_the_first_run_lasts_as_long_as_measured() -> None:
    assert row("PATCH.md", "first run")[4].partition(" / ")[0] in said("ten images, first run")


def test_the_secrets_are_back_as_soon_as_measured() -> None:
    deleted, garbage = (row("CERTIFICATES.md", f"own Secret {fault}")[1] for fault in ("deleted", "of garbage"))
    assert f"is back, with the same CA, after {deleted}; one of garbage after {garbage}." in SIZING


def test_the_noise_of_the_p99_is_the_measured_one() -> None:
    text = " ".join(SIZING.split())
    value = row("RESULTS.md", "p99, a change a second")[1].split()[0]
    low, high = row("RESULTS.md", "p99, at rest again")[2].split(" - ")
    assert f"({value} times, where the noise alone is {low} to {high})" in text


def test_the_comparison_has_the_measured_figures() -> None:
    text = " ".join((ROOT / "docs/comparison.md").read_text(encoding="utf-8").split())
    fast, slow = (round(float(speed(size))) for size in ("5 KB", "40 KB"))
    least, most = (float(row("RESULTS.md", f"{size}: controller-runtime")[1]) for size in ("5 KB", "40 KB"))
    found = re.search(r"takes (\d+) µs to (\d+) µs of CPU, ([\d.]+) to ([\d.]+) times less", text)
    assert found
    assert (int(found[1]), int(found[2])) == (fast, slow)
    assert (float(found[3]), float(found[4])) == (round(least, 1), round(most, 1))
