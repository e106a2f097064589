"""A marked figure of a document is written anew from the results; all else stays as it is."""

import pytest

from loadtest.quoted.marks import find_names, rewrite
from loadtest.quoted.names import Name, Reckoned
from loadtest.quoted.table import Cell, Quoted, QuoteError

NAMES: dict[str, Name] = {
    "review": Cell("RESULTS.md", "review"),
    "rate": Cell("RESULTS.md", "rate"),
    "p99": Cell("RESULTS.md", "p99"),
    "core": Reckoned(lambda get: 1e6 / get("review")),
    "half": Reckoned(lambda get: get("core") / 2),
}
FIGURES = {"review": Quoted("75.7", ""), "rate": Quoted("12,580", ""), "p99": Quoted("0.94", "ms")}


def write(text: str) -> str:
    return rewrite(text, NAMES, lambda cell: FIGURES[cell.row])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("takes <!--=review-->1 µs, at", "takes <!--=review-->75.7 µs, at"),
        ("takes <!--=review-->.", "takes <!--=review-->75.7."),
        ("takes <!--=review 0-->1,000.5 µs.", "takes <!--=review 0-->76 µs."),
        ("takes <!--=review 2-->1; 2 at", "takes <!--=review 2-->75.70; 2 at"),
        ("| <!--=rate-->1 a second |", "| <!--=rate-->12,580 a second |"),
        ("| <!--=rate -2-->1 |", "| <!--=rate -2-->12,600 |"),
        ("(p99 <!--=p99-->2.00 ms)", "(p99 <!--=p99-->0.94 ms)"),
        ("<b><!--=core -2-->1</b>", "<b><!--=core -2-->13,200</b>"),
        ("is <!--=half 1-->1, or <!--=p99-->3 ms", "is <!--=half 1-->6,605.0, or <!--=p99-->0.94 ms"),
        ("no mark: 5 µs <!-- needs: demo -->", "no mark: 5 µs <!-- needs: demo -->"),
    ],
)
def test_it_is_written_with_the_digits_that_the_mark_says(before: str, after: str) -> None:
    assert write(before) == after
    assert write(after) == after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("takes <!--=other-->1", "no such name"),
        ("takes <!--= review -->1", "a mark is not"),
        ("takes <!--=review two-->1", "a mark is not"),
        ("takes <!--=core-->1", "needs digits"),
        ("p99 <!--=p99-->1 µs", "the unit in RESULTS.md is ms"),
        ("a line\n<!--=review-->1 µs", "begins a line"),
        ("a list\n- <!--=review-->1 µs", "begins a line"),
    ],
)
def test_a_mark_that_cannot_be_written_says_why(text: str, said: str) -> None:
    with pytest.raises(QuoteError, match=said):
        write(text)


def test_the_names_of_a_document_are_found() -> None:
    assert find_names("<!--=p99-->1 ms and <!--=rate 0-->2, <!-- exits: 1 -->") == {"p99", "rate"}
