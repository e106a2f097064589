"""Keys that nothing reads: reported, with the one that was probably meant. Otherwise a slip would go unseen."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.part import Problem
from patchgate.policy.verdict import show

REPORTED_KEYS: Final = 20
"""Unknown keys of one ConfigMap that are reported; each is compared with all known ones, and 1 MiB holds 100,000."""
COMPARED_CHARACTERS: Final = 64
"""A key that is compared: all known ones are shorter, and comparing takes the square of its length."""


def suggest(word: str, known: Collection[str]) -> str:
    """Suggest the known word that was probably meant: `; did you mean WORD?`, empty if none is close."""
    if len(word) > COMPARED_CHARACTERS:
        return ""
    plain = word.casefold().replace("-", "_")
    close = get_close_matches(plain, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def report_unknown_keys(configmap: ConfigMap, known: Collection[str], reads: str) -> list[Problem]:
    """Report the data's keys that nothing reads. reads: what is read instead, for people."""
    unknown = sorted(configmap.data.keys() - known)
    problems = list(_report(configmap.name, islice(unknown, REPORTED_KEYS), known, reads))
    if more := len(unknown) - len(problems):
        problems.append(Problem(configmap.name, "", f"{more} more keys that nothing reads"))
    return problems


def _report(name: str, unknown: Iterator[str], known: Collection[str], reads: str) -> Iterator[Problem]:
    for key in unknown:
        advice = suggest(key, known) or f"; {reads}"
        yield Problem(name, show(key, SHOWN_VALUE_CHARACTERS), f"is not a key that patchgate reads{advice}")
