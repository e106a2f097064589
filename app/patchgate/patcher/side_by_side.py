"""All images of a run, side by side: their order, the time that each and all may take, and the end that is asked for.

What is done for one image is an argument. What goes wrong with one is that image's alone.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from patchgate.patcher.image import Target
from patchgate.patcher.progress import Outcome, Progress, Result
from patchgate.patcher.stop import Stop
from patchgate.patcher.tools import Deadline

PatchOne = Callable[[Target, Deadline], Outcome]
"""Does what one image needs by its deadline. Raises nothing that it foresees."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many images at once, and how long.

    Attributes:
        jobs: images side by side.
        image_seconds: for one image.
        run_seconds: for all.
    """

    jobs: int
    image_seconds: float
    run_seconds: float

    def after(self, seconds: float) -> "Pace":
        """Give what is left of it after so many seconds of the run."""
        return replace(self, run_seconds=max(0.0, self.run_seconds - seconds))


def patch_all(
    targets: Sequence[Target], patch_one: PatchOne, pace: Pace, stop: Stop, progress: Progress
) -> list[Outcome]:
    """Patch the images in their order; give their outcomes in the same. Blocks until none is worked on any more.

    Those of which an attempt did not end come after all others, one at a time: none may take another along again.
    """
    until = time.monotonic() + pace.run_seconds

    def work(target: Target) -> Outcome:
        began = time.monotonic()
        deadline = Deadline(began + pace.image_seconds, pace.image_seconds)
        outcome = leave(target, stop) if stop.is_asked else _guard(patch_one, target, deadline)
        outcome = replace(outcome, seconds=time.monotonic() - began)
        progress.end_image(outcome)
        return outcome

    def work_on(targets: Sequence[Target], jobs: int) -> list[Outcome]:
        with ThreadPoolExecutor(jobs, thread_name_prefix="image") as pool:
            futures = [pool.submit(work, target) for target in targets]
            if wait(futures, timeout=max(0.0, until - time.monotonic())).not_done:
                stop.ask(f"the run had to end after {pace.run_seconds:g} s (--run-limit-seconds)")
            return [future.result() for future in futures]

    suspects = [target for target in targets if target.record and target.record.unended]
    others = [target for target in targets if target not in suspects]
    outcomes = {each.key: each for each in [*work_on(others, pace.jobs), *work_on(suspects, 1)]}
    return [outcomes[target.key] for target in targets]


def leave(target: Target, stop: Stop) -> Outcome:
    """Say that an image was left for the next run."""
    return Outcome(target.key, Result.LEFT, f"left for the next run: {stop.reason}")


def _guard(patch_one: PatchOne, target: Target, deadline: Deadline) -> Outcome:
    try:
        return patch_one(target, deadline)
    except Exception as error:  # noqa: BLE001 -- a defect of ours: it must cost no other image
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = (
            f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"  # its text may hold anything
        )
        return Outcome(target.key, Result.FAILED, f"a defect of patchgate, please report it: {place}")
