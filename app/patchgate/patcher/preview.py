"""What a run would do, from lists, records, two HEADs an image and the database's age. Writes and scans nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from patchgate.errors import ImageError
from patchgate.limits import JOBS
from patchgate.patcher.answer import Fail, Refresh, RescanApproved, ScanSource
from patchgate.patcher.chosen import choose
from patchgate.patcher.expand import expand_lists
from patchgate.patcher.image import Target
from patchgate.patcher.matching import make_matching
from patchgate.patcher.plan import plan_first
from patchgate.patcher.resolve import resolve
from patchgate.patcher.tools import Basis, Tools


class Action(StrEnum):
    """What a run would begin with."""

    REFRESH = "refresh"
    RESCAN = "rescan"
    SCAN = "scan"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do for an image.

    Attributes:
        key: `REPO:TAG`.
        action: in a word.
        message: one line for people.
    """

    key: str
    action: Action
    message: str


def preview_run(tools: Tools, images: Collection[str]) -> list[Preview]:
    """Say what a run would do, an image at a time. Blocks.

    images: references; none: all that is listed.

    Raises:
        SetupError: it could not be begun.
    """
    snapshot = tools.store.load()
    matching = make_matching(tools.registry, tools.stop, JOBS)
    expansion = choose(expand_lists(snapshot, matching, tools.shard), images, snapshot.policy.naming, tools.shard)
    basis = Basis(snapshot.policy, tools.scanner.probe())
    failures = [
        Preview(f"{failure.configmap}, {failure.place}", Action.FAIL, failure.reason)
        for failure in (*expansion.failures, *expansion.left)
    ]
    return [*(_preview(target, tools, basis) for target in expansion.targets), *failures]


def _preview(target: Target, tools: Tools, basis: Basis) -> Preview:
    try:
        facts = resolve(target, tools.registry, basis.scanner)
    except ImageError as error:
        return Preview(target.key, Action.FAIL, str(error))
    match plan_first(target.record, facts, basis.policy, tools.clock()):
        case Fail(message):
            return Preview(target.key, Action.FAIL, message)
        case Refresh():
            return Preview(
                target.key, Action.REFRESH, "nothing is new: what is approved would be verified again by two HEADs"
            )
        case RescanApproved(platforms):
            what = f"what is approved would be scanned again ({', '.join(platforms)})"
            return Preview(target.key, Action.RESCAN, f"database, threshold or platforms are others: {what}")
        case ScanSource():
            return Preview(target.key, Action.SCAN, "its source would be scanned, and patched where findings count")
