"""A run: what is listed, which of it is asked for, every image brought forward, and what that came to.

Reads lists and policy once, at the start; the store reads a record again whenever it writes it.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from patchgate.errors import SetupError, SourceError, StoreError
from patchgate.patcher.chosen import choose
from patchgate.patcher.expand import Expansion, expand_lists
from patchgate.patcher.line_notes import make_notes
from patchgate.patcher.matching import EXPANSION_SECONDS, make_matching
from patchgate.patcher.patch_image import patch_image
from patchgate.patcher.progress import Outcome, Result
from patchgate.patcher.side_by_side import Pace, leave, patch_all
from patchgate.patcher.summary import Summary
from patchgate.patcher.tools import Basis, Tools
from patchgate.policy.overview import list_tracked_images
from patchgate.policy.part import Problem
from patchgate.policy.record import Scanner, State
from patchgate.policy.snapshot import Snapshot


def run_patcher(tools: Tools, pace: Pace, images: Collection[str]) -> Summary:
    """Bring every listed image forward, or those of them that are named. Blocks.

    images: references; none: all that is listed.

    Raises:
        SetupError: it cannot be begun: no list, a wrong policy, no scanner, an image that is not listed.
    """
    began, began_seconds = tools.clock(), time.monotonic()
    snapshot = tools.store.load()
    matching = make_matching(tools.registry, tools.stop, pace.jobs, min(EXPANSION_SECONDS, pace.run_seconds))
    expansion = choose(expand_lists(snapshot, matching, tools.shard), images, snapshot.policy.naming, tools.shard)
    unnoted = [] if images else _note_lines(tools, expansion, snapshot)
    pace = pace.after(time.monotonic() - began_seconds)
    scanner = _probe(tools)
    if scanner:
        patch_one = partial(patch_image, tools=tools, basis=Basis(snapshot.policy, scanner))
        outcomes = patch_all(expansion.targets, patch_one, pace, tools.stop, tools.progress)
    else:
        outcomes = [leave(target, tools.stop) for target in expansion.targets]
    all_outcomes = [*outcomes, *tell_failures(expansion)]
    faults = [*unnoted, *([] if images or _has_left(all_outcomes) else _finish(tools))]
    told = _tell(tools, [*_find_authors(outcomes, snapshot), *expansion.failures])
    return Summary(
        outcomes=all_outcomes,
        problems=[*snapshot.list_problems(began), *faults, *told],
        is_noted=not faults,
        states=_count_states(tools),
        began=began,
        ended=tools.clock(),
        database=scanner.database if scanner else None,
    )


def _note_lines(tools: Tools, expansion: Expansion, snapshot: Snapshot) -> list[Problem]:
    """Note the lines that stand for no image, before any image is begun: the gate hears of it whatever happens then."""
    notes, left_out = make_notes(expansion, snapshot, tools.clock())
    too_many = f"{left_out} more lines stand for no image than can be noted: take them off the lists"
    faults = [too_many] if left_out else []
    try:
        tools.store.note_lines(notes)
    except StoreError as error:
        faults.append(str(error))
    return [Problem("lines that stand for no image", "", fault) for fault in faults]


def _probe(tools: Tools) -> Scanner | None:
    """Probe what patching needs; None where the end is asked for meanwhile, as the database may be large."""
    try:
        scanner = tools.scanner.probe()
        tools.fixer.probe()
    except SetupError:
        if tools.stop.is_asked:
            return None
        raise
    return scanner


def tell_failures(expansion: Expansion) -> list[Outcome]:
    """Tell of the lines whose tags are not known, as of images that failed or were left."""
    told = [(Result.FAILED, each) for each in expansion.failures] + [(Result.LEFT, each) for each in expansion.left]
    return [Outcome(f"{each.configmap}, {each.place}", result, each.reason) for result, each in told]


def _has_left(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether the end came too early: `last_run` would then call the images that were left stale by themselves."""
    return any(outcome.result is Result.LEFT for outcome in outcomes)


def _finish(tools: Tools) -> list[Problem]:
    try:
        tools.store.finish_run(tools.clock())
    except StoreError as error:
        return [Problem("the end of the run", "", str(error))]
    return []


def _find_authors(outcomes: Sequence[Outcome], snapshot: Snapshot) -> Iterator[Problem]:
    """Find the list that each failed image stands in: whoever wrote it is to hear of it."""
    for outcome in outcomes:
        repository, _, tag = outcome.key.rpartition(":")
        line = snapshot.repositories[repository].find_line(tag)
        if outcome.result is Result.FAILED and line:
            yield Problem(line.configmap, outcome.key, outcome.message)


def _tell(tools: Tools, failures: Sequence[Problem]) -> list[Problem]:
    try:
        tools.tell(failures)
    except SourceError as error:
        return [Problem("Events", "", str(error))]
    return []


def _count_states(tools: Tools) -> Mapping[State, int]:
    """Count the listed images by the state of their record; none where the records cannot be read any more."""
    try:
        snapshot = tools.store.load()
    except SetupError:
        return {}
    tracked = list_tracked_images(snapshot, tools.clock())
    return Counter(image.record.state for image in tracked if image.record)
