"""A document's figure that was measured is marked, and is what the results file says; `make figures` writes it."""

import re

import pytest

from loadtest.quoted.marks import MARK, find_names
from loadtest.quoted.names import NAMES, Reckoned
from loadtest.quoted.pages import ROOT, list_pages, rewrite_page
from loadtest.quoted.table import Cell, read_cell

PAGES = {str(page.relative_to(ROOT)): page for page in list_pages()}
LOOKS_MEASURED = re.compile(
    r"\d[\d,.]*\s(?:µs|ms|MiB|core-seconds|core-hours|times)\b"
    r"|\d[\d,.]*\s(?:(?:reviews|requests|creates|Pods)\s)?a\ssecond\b"
    r"|\d[\d,.]*\s%\sof\s(?:a|one)\score\b"
)
NOT_MEASURED = {
    "docs/failing-closed.md": {"200 a second": "what F2 sends"},
    "docs/faults.md": {
        "200 reviews a second": "what F2 sends",
        "7 MiB": "what F21 sends",
        "50 MiB": "F20's bar",
        "3 MiB": "what F21 sends",
    },
    "docs/gate.md": {"37 MiB": "a limit", "7 MiB": "a limit", "64 MiB": "a limit", "2 ms": "a limit"},
    "docs/kyverno.md": {"2 MiB": "a limit of Kyverno", "50 Pods a second": "what make load-kyverno sends"},
    "docs/page.md": {"0.2 ms": "a limit: a slice of a page"},
    "docs/scale.md": {
        "150 MiB": "170 ConfigMaps of 900 KiB",
        "8 MiB": "9 ConfigMaps of 900 KiB",
        "200 MiB": "a limit",
        "1 MiB": "a limit",
        "800 MiB": "reckoned of both limits",
    },
    "docs/sizing.md": {
        "300 Pods a second": "assumed",
        "1 MiB": "Kubernetes' limit",
        "200 MiB": "calculated from the limits",
        "64 MiB": "a limit",
    },
}
"""Page → what looks measured and is not → why."""


def read_unmarked(page: str) -> str:
    """The text without code, and without what is marked."""
    text = re.sub(r"^```.*?^```$", "", PAGES[page].read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return " ".join(MARK.sub("", text).split())


@pytest.mark.parametrize("page", PAGES)
def test_what_is_marked_is_what_was_measured(page: str) -> None:
    assert rewrite_page(PAGES[page]) == PAGES[page].read_text(encoding="utf-8"), "make figures writes it"


@pytest.mark.parametrize("page", PAGES)
def test_what_looks_measured_is_marked(page: str) -> None:
    found = {figure[0] for figure in LOOKS_MEASURED.finditer(read_unmarked(page))}
    assert found - NOT_MEASURED.get(page, {}).keys() == set(), "mark it, or say in NOT_MEASURED what it is"


def test_what_is_not_measured_is_still_said() -> None:
    gone = [(page, each) for page, said in NOT_MEASURED.items() for each in said if each not in read_unmarked(page)]
    assert gone == []


def test_a_mark_is_never_in_code_where_it_would_be_seen() -> None:
    for page in PAGES.values():
        for code in re.findall(r"^```.*?^```$|`[^`\n]*`", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            assert "<!--=" not in code, page


def test_every_name_is_quoted_or_reckoned_with() -> None:
    used = set[str]().union(*(find_names(page.read_text(encoding="utf-8")) for page in PAGES.values()))

    def get(name: str) -> float:
        used.add(name)
        figure = NAMES[name]
        return read_cell(figure).value if isinstance(figure, Cell) else figure.formula(get)

    for name, figure in NAMES.items():
        if name in used and isinstance(figure, Reckoned):
            figure.formula(get)
    assert NAMES.keys() - used == set()
