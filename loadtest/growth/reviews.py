"""Measures what a review costs as the world, the Pod, its body, or the number of distinct images grows.

CPU time of the real gate, user and system, by wrk on the other core. The places of a curve take turns, round by round,
so that a noisy machine hits all of them; the first of the world's is measured a second time, beside itself (A/A).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, divide
from loadtest.ground import Ground
from loadtest.growth.bodies import write_distinct, write_few_images, write_images_of_a_pod, write_sizes
from loadtest.growth.curve import Curve, Point
from loadtest.growth.plan import Plan
from loadtest.load import CONNECTIONS, Load
from loadtest.servers import Server
from loadtest.turns import Turn, run_turns
from loadtest.world_files import IMAGES, write_world

WORLDS: Final = (10, 100, 1_000, 10_000, IMAGES)
_IMAGES_OF_A_POD: Final = (1, 2, 5, 10, 20, 50, 100, 200)
_KILOBYTES: Final = (5, 15, 40, 100, 300, 1024, 3072)
_DISTINCT: Final = (1, 10, 100, 1_000)
_NEVER_HOT: Final = 10_000
_LARGE_KILOBYTES: Final = 300
_FEW_CONNECTIONS: Final = 4
_FEW_SECONDS: Final = 4
_BAR: Final = Bar(1.1)


def measure_worlds(ground: Ground, gate: Server, plan: Plan) -> tuple[Curve, list[Figure]]:
    """Measure the same reviews on worlds from ten images to all; `gate` stands on all of them."""
    bodies, new_images = ground.directory / "few", ground.directory / "new-images"
    write_few_images(bodies, new_images, WORLDS[0])
    load = Load(bodies, new_images)
    with contextlib.ExitStack() as stack:
        gates = {f"{images:,}": stack.enter_context(_run_world(ground, images)) for images in WORLDS[:-1]}
        gates[f"{IMAGES:,}"] = gate
        turns = {name: Turn(server, load) for name, server in gates.items()}
        again = f"{WORLDS[0]:,} again"
        rounds = _run_turns("worlds", {**turns, again: turns[f"{WORLDS[0]:,}"]}, plan)
    points = [Point(images, f"{images:,}", rounds[f"{images:,}"]) for images in WORLDS]
    curve = Curve(
        "worlds",
        "A review, as the world grows",
        "images of the world",
        "CPU µs a review",
        "",
        points,
        "The same 5 KB Pods on gates that know more and more others: three in four are about the same ten images, one "
        "is about an image that nobody tracks and that was never asked about before, whose verdict no gate remembers.",
        (Point(WORLDS[0], f"{again} (A/A)", rounds[again]),),
    )
    return curve, _divide_worlds(curve)


def measure_images_of_a_pod(ground: Ground, gate: Server, plan: Plan) -> Curve:
    """Measure Pods of more and more images."""
    bodies = {images: ground.directory / f"images-{images}" for images in _IMAGES_OF_A_POD}
    kilobytes = {images: write_images_of_a_pod(file, images) / 1024 for images, file in bodies.items()}
    turns = {str(images): _turn(ground, gate, file) for images, file in bodies.items()}
    rounds = _run_turns("images a Pod", turns, plan)
    return Curve(
        "images",
        "A review, as its Pod has more images",
        "images of the Pod",
        "CPU µs a review",
        "image",
        [Point(images, f"{images} ({kilobytes[images]:.0f} KB)", rounds[str(images)]) for images in _IMAGES_OF_A_POD],
        "All images of a Pod differ; out of 1,000 that are asked about again and again. Half of the Pods are denied.",
    )


def measure_sizes(ground: Ground, gate: Server, plan: Plan) -> Curve:
    """Measure larger and larger bodies."""
    turns: dict[str, Turn] = {}
    for kilobytes in _KILOBYTES:
        file = ground.directory / f"size-{kilobytes}"
        write_sizes(file, kilobytes * 1024)
        turns[str(kilobytes)] = _turn(ground, gate, file, kilobytes)
    rounds = _run_turns("KB", turns, plan)
    return Curve(
        "sizes",
        "A review, as its body grows",
        "KB of the body",
        "CPU µs a review",
        "KB",
        [Point(kilobytes, f"{kilobytes:,}", rounds[str(kilobytes)]) for kilobytes in _KILOBYTES],
        "Pods of one image; what grows is environment, and the managed fields that go with it.",
    )


def measure_distinct(ground: Ground, gate: Server, plan: Plan) -> Curve:
    """Measure Pods about more and more distinct images."""
    turns: dict[str, Turn] = {}
    for distinct in (*_DISTINCT, _NEVER_HOT):
        file = ground.directory / f"distinct-{distinct}"
        write_distinct(file, distinct)
        turns[str(distinct)] = _turn(ground, gate, file)
    rounds = _run_turns("distinct", turns, plan)
    return Curve(
        "distinct",
        "A review, as more distinct images are asked about",
        "distinct images asked about",
        "CPU µs a review",
        "",
        [Point(distinct, f"{distinct:,}", rounds[str(distinct)]) for distinct in _DISTINCT],
        "5 KB Pods of one approved image each, in turn. The last row's are forgotten before they come again.",
        (Point(_NEVER_HOT, f"{_NEVER_HOT:,} (cold: none is remembered)", rounds[str(_NEVER_HOT)]),),
    )


def _run_world(ground: Ground, images: int) -> contextlib.AbstractContextManager[Server]:
    world = ground.directory / f"world-{images}"
    write_world(world, images)
    return ground.run_gate(world)


def _load(ground: Ground, bodies: Path, connections: int = CONNECTIONS) -> Load:
    """Give the load of these bodies, which ask for no image of the list of new ones."""
    new_images = ground.directory / "no-images"
    new_images.touch()
    return Load(bodies, new_images, connections)


def _turn(ground: Ground, gate: Server, bodies: Path, kilobytes: int = 0) -> Turn:
    """Give the turn of these bodies: of large ones few at once, for so long that some answers, one in 31, are read."""
    if kilobytes > _LARGE_KILOBYTES:
        return Turn(gate, _load(ground, bodies, _FEW_CONNECTIONS), _FEW_SECONDS)
    return Turn(gate, _load(ground, bodies))


def _run_turns(what: str, turns: Mapping[str, Turn], plan: Plan) -> dict[str, list[float]]:
    runs = run_turns(what, turns, plan.rounds, plan.seconds)
    return {name: [run.cpu for run in rounds] for name, rounds in runs.items()}


def _divide_worlds(curve: Curve) -> list[Figure]:
    first, last, again = curve.points[0], curve.points[-1], curve.others[0]

    def say(above: Point) -> str:
        return f"{above.median:.1f} µs / {first.median:.1f} µs, {len(first.rounds)} rounds"

    noise = divide(f"{first.name} images again ÷ the same (A/A: the noise)", again.rounds, first.rounds, say(again))
    what = f"CPU a review, {last.name} images ÷ {first.name}"
    within = noise.low, noise.high
    return [noise, divide(what, last.rounds, first.rounds, say(last), bar=_BAR, noise=within)]


def list_all(ground: Ground, gate: Server, plan: Plan) -> Iterator[Curve]:
    """Measure the curves that need one gate alone."""
    measures: Sequence[Callable[[Ground, Server, Plan], Curve]] = (
        measure_images_of_a_pod,
        measure_sizes,
        measure_distinct,
    )
    for measure in measures:
        yield measure(ground, gate, plan)
