"""What a decision and a change cost as the world grows: 100,000 images in 170 ConfigMaps beside ten in two."""

import random
from collections.abc import Callable, Sequence
from itertools import count

from loadtest.figure import Bar, Figure
from loadtest.ratio import compare
from loadtest.worlds import NOW, RECORDS_PER_CONFIGMAP, list_configmaps, make_records, name_approved, name_image
from patchgate.configmaps.assemble import assemble
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image

IMAGES = 100_000
DECISIONS = 20_000
NAMES = Names(record_configmaps=200)


def measure_scale() -> list[Figure]:
    """Measure what grows with the world, and what must not."""
    configmaps = list_configmaps(IMAGES)
    large, small = _build(configmaps), _build(list_configmaps(10))
    world = f"{IMAGES:,} images in {len(configmaps)} ConfigMaps"
    ten = _decider(small, range(10))
    return [
        compare("a decision, ten images ÷ the same (A/A: the noise)", _decider(small, range(10)), ten, rounds=15),
        compare(
            f"a decision, {world} ÷ ten, about the same images",
            _decider(large, range(10)),
            ten,
            rounds=15,
            bar=Bar(1.1),
        ),
        compare("the same, about 20,000 different images ÷ about ten", _decider(large, range(IMAGES)), ten, rounds=15),
        compare(
            "one ConfigMap of 170 changed ÷ building all",
            _changer(large),
            lambda: _build(configmaps),
            rounds=5,
            bar=Bar(0.05),
        ),
    ]


def _build(configmaps: list[ConfigMap]) -> Snapshot:
    return assemble(configmaps, (), None, NAMES, NOW)


def _decider(snapshot: Snapshot, numbers: Sequence[int]) -> Callable[[], None]:
    """Decide about images picked from these, half of them under the patched name."""
    pick = random.Random(1)  # noqa: S311 -- which images, no secret
    chosen = [pick.choice(numbers) // 2 * 2 for _ in range(DECISIONS)]
    asked = [
        Image(name_approved(number) if index % 2 else name_image(number), "Always")
        for index, number in enumerate(chosen)
    ]
    asker = Asker("shop")

    def act() -> None:
        for image in asked:
            decide(image, snapshot, asker, NOW)

    return act


def _changer(snapshot: Snapshot) -> Callable[[], Snapshot]:
    """Read one changed ConfigMap of records and give the snapshot after it."""
    generation = count(2)
    part = IMAGES // RECORDS_PER_CONFIGMAP // 2
    numbers = range(part * RECORDS_PER_CONFIGMAP, (part + 1) * RECORDS_PER_CONFIGMAP)
    changed = make_records(part, numbers, next(generation))
    return lambda: assemble([changed], (), snapshot, NAMES, NOW)
