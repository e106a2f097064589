"""`copa-image-list` and labelled image lists: lines of images, and beside the main one the policy."""

import re
from collections.abc import Mapping
from typing import Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.policy_keys import KEYS, read_policy
from patchgate.errors import InvalidReferenceError
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.lines import BLANKS, read_lines
from patchgate.policy.part import ImageListPart, ListLine, Problem
from patchgate.policy.reference import Reference, names_registry
from patchgate.policy.verdict import show

KEY: Final = "images.txt"
_COMMENT: Final = re.compile(r"(?:^|[ \t])#.*")
_FOLDED: Final = "several images on one line: write `images.txt: |` (`>` joins lines), and one image a line"
_HAS_BLANK: Final = "has a space in it: write one image a line, and # before a comment"


def read_main_list(configmap: ConfigMap, previous: ImageListPart | None) -> ImageListPart:
    """Read the main list and the policy beside it.

    A wrong value of the policy keeps that of the previous part, at first its default. A list emptied while running
    keeps its lines: somebody's slip must not open the gate. One without the key names no image, as Helm makes it and
    then leaves it to people; only beside a key that nobody reads is that a slip.
    """
    lines, problems = _read_lines(configmap)
    if configmap.data.keys() - KEYS:
        problems += _report_absence(configmap)
    if not lines and previous and previous.lines:
        lines = previous.lines
        slip = "names no image any more" if KEY in configmap.data else "is gone"
        problems.append(Problem(configmap.name, KEY, f"{slip}; the last good list stays in force"))
    policy, policy_problems = read_policy(configmap, previous.policy if previous else None)
    return ImageListPart(configmap.name, lines, policy, (*problems, *policy_problems))


def read_labelled_list(configmap: ConfigMap) -> ImageListPart:
    """Read a list that a label made one; a policy beside it counts for nothing."""
    lines, problems = _read_lines(configmap)
    return ImageListPart(configmap.name, lines, None, (*_report_absence(configmap), *problems))


def _report_absence(configmap: ConfigMap) -> list[Problem]:
    if KEY in configmap.data:
        return []
    return [Problem(configmap.name, KEY, "is missing: one REPO:TAG or REPO:TAG@DIGEST a line")]


def _read_lines(configmap: ConfigMap) -> tuple[Mapping[str, tuple[ListLine, ...]], list[Problem]]:
    lines: dict[str, dict[tuple[str, str | None], ListLine]] = {}
    problems = []
    for text in read_lines(configmap.data.get(KEY, "")):
        image = _COMMENT.sub("", text.text).strip(BLANKS)
        if not image and not text.fault:
            continue
        try:
            line = _read_line(image, text.fault, configmap.name, text.number)
        except InvalidReferenceError as error:
            shown = show(image or text.text, SHOWN_VALUE_CHARACTERS)
            problems.append(Problem(configmap.name, f"line {text.number}", f"{shown!r}: {error}"))
            if repository := _find_repository(image):
                lines.setdefault(repository, {})
        else:
            lines.setdefault(line.repository, {}).setdefault((line.tag, line.digest), line)  # equal lines are one
    return {repository: tuple(each.values()) for repository, each in lines.items()}, problems


def _read_line(image: str, fault: str, configmap: str, number: int) -> ListLine:
    """Read `REPO:TAG` or `REPO:TAG@DIGEST`; in the tag `*` stands for any characters.

    fault: what is wrong with the line whatever it names; empty if nothing is.

    Raises:
        InvalidReferenceError: it is not such a line; the error says what to write instead.
    """
    if fault:
        raise InvalidReferenceError(fault)
    if len(words := image.split()) > 1:
        raise InvalidReferenceError(_FOLDED if all(":" in word for word in words) else _HAS_BLANK)
    name, at, digest = image.partition("@")
    reference = Reference.parse_bare(name.replace("*", "x") + at + digest)
    if reference.tag is None:
        raise InvalidReferenceError("has no tag: write REPO:TAG or REPO:TAG@DIGEST")
    repository_text, _, tag = name.rpartition(":")
    if "*" in repository_text:
        raise InvalidReferenceError("has * outside its tag: list each repository")
    if "*" in tag and digest:
        raise InvalidReferenceError("has * beside a digest: one digest has no pattern of tags")
    return ListLine(reference.repository, tag, reference.digest, configmap, number, names_registry(name))


def _find_repository(image: str) -> str | None:
    """Find the repository of a line that does not parse otherwise: it stays tracked."""
    name = "".join(image.split(maxsplit=1)[:1]).partition("@")[0]
    for candidate in (name, name.rpartition(":")[0]):
        try:
            return Reference.parse_bare(candidate).repository
        except InvalidReferenceError:
            continue
    return None
