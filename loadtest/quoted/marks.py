"""Finds the marked figures of a document, and writes into them what the results say.

A mark stands right before its figure: `<!--=NAME-->75.7 µs`, or `<!--=NAME 0-->76 µs` with the digits that round() is
told: 0 for whole ones, -2 for hundreds. Without them the figure is written as its results file has it. NAME is one of
`names.py`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from loadtest.quoted.names import Name, Reckoned
from loadtest.quoted.table import Cell, Quoted, QuoteError

Read = Callable[[Cell], Quoted]
_NUMBER: Final = r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)?(?P<unit>\s?[^\s.,;)|<]*)"
MARK: Final = re.compile(r"<!--=(?P<name>[a-z0-9-]+)(?: (?P<digits>-?\d))?-->" + _NUMBER)
_ANY: Final = re.compile(r"<!--=")
_BEGINS_LINE: Final = re.compile(r"^[ \t>*+-]*(?:\d+[.)][ \t]*)?<!--=", re.MULTILINE)


def rewrite(text: str, names: Mapping[str, Name], read: Read) -> str:
    """Give the document with every marked figure as the results have it.

    Raises:
        QuoteError: a mark is none, or its name, its row or its digits are missing, or its unit is another.
    """
    if len(_ANY.findall(text)) != len(MARK.findall(text)):
        raise QuoteError("a mark is not `<!--=NAME-->` or `<!--=NAME DIGITS-->`")
    if _BEGINS_LINE.search(text):
        raise QuoteError("a mark begins a line: all of it would be HTML; put a word before it")
    return MARK.sub(lambda mark: _write(mark, names, read), text)


def find_names(text: str) -> set[str]:
    """Find the names that a document quotes."""
    return {mark["name"] for mark in MARK.finditer(text)}


def _write(mark: re.Match[str], names: Mapping[str, Name], read: Read) -> str:
    head = mark[0].partition("-->")[0] + "-->"
    return head + _find_figure(mark, names, read) + mark["unit"]


def _find_figure(mark: re.Match[str], names: Mapping[str, Name], read: Read) -> str:
    """Give the figure that belongs behind a mark.

    Raises:
        QuoteError: as rewrite().
    """
    name = names.get(mark["name"])
    match name:
        case None:
            raise QuoteError(f"{mark[0]}: no such name in loadtest/quoted/names.py")
        case Cell():
            quoted = read(name)
            if quoted.unit and mark["unit"].strip() != quoted.unit:
                raise QuoteError(f"{mark[0]}: the unit in {name.file} is {quoted.unit}")
            return _round(quoted.value, mark["digits"]) if mark["digits"] else quoted.text
        case Reckoned():
            if not mark["digits"]:
                raise QuoteError(f"{mark[0]}: what is reckoned needs digits, such as `<!--={mark['name']} 0-->`")
            return _round(_reckon(name, names, read), mark["digits"])


def _reckon(name: Reckoned, names: Mapping[str, Name], read: Read) -> float:
    """Reckon a figure of others."""

    def get(wanted: str) -> float:
        other = names[wanted]
        return read(other).value if isinstance(other, Cell) else _reckon(other, names, read)

    return name.formula(get)


def _round(value: float, digits: str) -> str:
    places = int(digits)
    return f"{round(value, places):,.{max(places, 0)}f}"
