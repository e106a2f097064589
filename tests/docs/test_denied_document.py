"""docs/why-was-my-pod-denied.md has each reason that a person may see; tests/plane holds its messages to real ones."""

import re

from patchgate.policy.verdict import Reason
from tests.docs.blocks import ROOT

TEXT = (ROOT / "docs/why-was-my-pod-denied.md").read_text(encoding="utf-8")
SILENT = {Reason.NOT_TRACKED, Reason.APPROVED, Reason.NO_IMAGES, Reason.INTERNAL_ERROR}
"""Reasons that neither refuse nor warn, and the one that is a bug of patchgate."""


def test_every_reason_that_refuses_or_warns_is_in_the_table() -> None:
    table = TEXT.partition("| reason |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(Reason) - SILENT
