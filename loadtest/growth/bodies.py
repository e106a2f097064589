"""Writes the bodies of a curve's place, as wrk/reviews.lua reads them: admitted (1 or 0), a tab, the body."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from loadtest.grown import fill_in, grow_template
from loadtest.reviews import NEW
from loadtest.worlds import name_approved, name_image

BODIES: Final = 2_000
_FILE_BYTES: Final = 48 * 2**20
_LEAST_BODIES: Final = 12
APPROVED: Final = tuple(name_approved(number) for number in range(0, 100_000, 2))
"""The patched images of the world under the names that are admitted."""


def write_images_of_a_pod(file: Path, images: int) -> int:
    """Write Pods of so many images, all different: half of the Pods admitted, half with listed images; give bytes."""
    template = grow_template(images)
    places = [_choose(number, images) for number in range(_count(template))]
    return _write(file, template, places)


def write_sizes(file: Path, size_bytes: int) -> int:
    """Write Pods of one image and of so many bytes; give the bytes."""
    template = grow_template(1, size_bytes)
    return _write(file, template, [_choose(number, 1) for number in range(_count(template))])


def write_distinct(file: Path, distinct: int) -> int:
    """Write Pods of one image, each of so many in turn; give the bytes of one."""
    template = grow_template(1)
    return _write(file, template, [[APPROVED[number % distinct]] for number in range(max(BODIES, distinct))])


def write_few_images(file: Path, new_images: Path, images: int) -> int:
    """Write Pods of one image, each of the first so many of the world, under both names; give the bytes of one.

    Every second body has a place that wrk/reviews.lua fills in: by turns with one of `new_images`, where the same
    images are written, and with one that nobody tracks and that was never asked about: no gate remembers its verdict.
    """
    names = [name for number in range(0, images, 2) for name in (name_image(number), name_approved(number))]
    new_images.write_text("\n".join(f"{int(_is_admitted(name))}\t{name}" for name in names), encoding="utf-8")
    places = [[NEW if number % 2 else names[number // 2 % len(names)]] for number in range(BODIES)]
    return _write(file, grow_template(1), places)


def _choose(number: int, images: int) -> list[str]:
    """Choose a Pod's images, out of 1,000: approved names, or every second one as listed."""
    chosen = [(number * images + place) % 500 * 2 for place in range(images)]
    if number % 2:
        return [name_approved(image) for image in chosen]
    return [name_approved(image) if place % 2 else name_image(image) for place, image in enumerate(chosen)]


def _count(template: str) -> int:
    return max(_LEAST_BODIES, min(BODIES, _FILE_BYTES // len(template)))


def _write(file: Path, template: str, places: Iterable[Sequence[str]]) -> int:
    sizes = []
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for number, images in enumerate(places):
            is_admitted = all(map(_is_admitted, images))
            body = fill_in(template, list(images), number)
            sizes.append(len(body) + 35)  # the uid's place is one character
            stream.write(f"{int(is_admitted)}\t{body}\n")
    return sizes[0]


def _is_admitted(image: str) -> bool:
    """Tell whether an image is admitted, as far as the body knows: what takes a place is counted by who fills it in."""
    return image == NEW or "-patched-" in image
