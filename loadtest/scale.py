"""What a decision and a change cost as the world grows: 100,000 images in 170 ConfigMaps beside ten in two."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

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
            "one ConfigMap of 170 changed, every record of it ÷ building all",
            _changer(large, RECORDS_PER_CONFIGMAP),
            lambda: _build(configmaps),
            rounds=5,
            bar=Bar(0.05),
        ),
        compare(
            "the same, one record of it",
            _changer(large, 1),
            lambda: _build(configmaps),
            rounds=5,
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


def _changer(snapshot: Snapshot, others: int) -> Callable[[], Snapshot]:
    """Read one ConfigMap of records, of which so many say something else than before, and give the snapshot after."""
    part = IMAGES // RECORDS_PER_CONFIGMAP // 2
    numbers = range(part * RECORDS_PER_CONFIGMAP, (part + 1) * RECORDS_PER_CONFIGMAP)
    before, after = (make_records(part, numbers, now=now) for now in (NOW, NOW - timedelta(minutes=1)))
    records = [json.loads(configmap.data["records.json"]) for configmap in (before, after)]
    records[0]["records"] |= dict(list(records[1]["records"].items())[:others])
    changed = replace(before, data={"records.json": json.dumps(records[0])})
    return lambda: assemble([changed], (), snapshot, NAMES, NOW)
