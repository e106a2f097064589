"""`copa-image-list` and labelled image lists: lines of images, and beside the main one the policy."""

import re
from dataclasses import replace
from typing import Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.policy_keys import KEYS, read_policy
from patchgate.configmaps.unknown_keys import report_unknown_keys
from patchgate.errors import InvalidReferenceError
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.lines import BLANKS, read_lines
from patchgate.policy.part import BadLine, ImageListPart, ListLine, Problem
from patchgate.policy.reference import Reference, names_registry
from patchgate.policy.verdict import show

KEY: Final = "images.txt"
_COMMENT: Final = re.compile(r"(?:^|[ \t])#.*")
_FOLDED: Final = "several images on one line: write `images.txt: |` (`>` joins lines), and one image a line"
_READS: Final = "it has images.txt and the policy"
_HAS_BLANK: Final = "has a space in it: write one image a line, and # before a comment"


def read_main_list(configmap: ConfigMap, previous: ImageListPart | None) -> ImageListPart:
    """Read the main list and the policy beside it.

    A wrong value of the policy keeps that of the previous part, at first its default. A list that loses its last good
    line while running keeps what it had: a slip must not disable enforcement. One without the key names no image, as
    Helm makes it and then leaves it to people; only next to a key that nothing reads is that a slip.
    """
    part = _read_lines(configmap)
    problems = [*part.problems, *report_unknown_keys(configmap, KEYS | {KEY}, _READS)]
    if configmap.data.keys() - KEYS:
        problems += _report_absence(configmap)
    if not any(part.lines.values()) and previous and previous.lines:
        part = replace(part, lines=previous.lines, naming_badly={})
        slip = _say_slip(configmap, part)
        problems.append(Problem(configmap.name, KEY, f"{slip}; the last good list stays in force"))
    elif KEY in configmap.unread:  # nothing is decided by an empty list that nobody meant
        return replace(part, problems=tuple(problems))
    policy, policy_problems = read_policy(configmap, previous.policy if previous else None)
    return replace(part, policy=policy, problems=(*problems, *policy_problems))


def _say_slip(configmap: ConfigMap, part: ImageListPart) -> str:
    if KEY in configmap.unread:
        return "is no text"
    if KEY not in configmap.data:
        return "is gone"
    return f"names no {'good ' if part.bad_lines else ''}image any more"


def read_labelled_list(configmap: ConfigMap) -> ImageListPart:
    """Read a list that a label made one; a policy next to it has no effect."""
    part = _read_lines(configmap)
    policy = [
        Problem(configmap.name, key, "has no effect here: the policy is that of copa-image-list alone")
        for key in sorted(configmap.data.keys() & KEYS)
    ]
    unknown = report_unknown_keys(configmap, KEYS | {KEY}, f"a labelled list has {KEY}")
    return replace(part, problems=(*_report_absence(configmap), *policy, *unknown, *part.problems))


def report_mislabelled(configmap: ConfigMap, label: str) -> ImageListPart:
    """Report a ConfigMap whose label has a value that makes it no image list; none of it is read."""
    value = show(configmap.labels[label], SHOWN_VALUE_CHARACTERS)
    reason = f"label {label}: {value!r} makes it no image list: write 'true', or 'false' if it is not an image list"
    return ImageListPart(configmap.name, {}, None, (Problem(configmap.name, "", reason),))


def _report_absence(configmap: ConfigMap) -> list[Problem]:
    if KEY in configmap.data or KEY in configmap.unread:
        return []
    return [Problem(configmap.name, KEY, "is missing: one REPO:TAG or REPO:TAG@DIGEST a line")]


def _read_lines(configmap: ConfigMap) -> ImageListPart:
    """Read the lines, without a policy."""
    lines: dict[str, dict[tuple[str, str | None], ListLine]] = {}
    bad_lines: list[BadLine] = []
    notes: list[Problem] = []
    for text in read_lines(configmap.data.get(KEY, "")):
        image = _COMMENT.sub("", text.text).strip(BLANKS)
        if not image and not text.fault:
            continue
        try:
            line = _read_line(image, text.fault, configmap.name, text.number)
        except InvalidReferenceError as error:
            shown = show(image or text.text, SHOWN_VALUE_CHARACTERS)
            bad_lines.append(BadLine(configmap.name, text.number, shown, str(error), _find_repositories(image)))
        else:
            lines.setdefault(line.repository, {}).setdefault((line.tag, line.digest), line)  # equal lines are one
            if text.note:
                notes.append(Problem(configmap.name, f"line {text.number}", f"{text.note}; the line keeps its effect"))
    named = {name: bad for bad in reversed(bad_lines) for name in bad.repositories}
    return ImageListPart(
        name=configmap.name,
        lines=dict.fromkeys(named, ()) | {repository: tuple(each.values()) for repository, each in lines.items()},
        policy=None,
        problems=(*(bad.problem for bad in bad_lines), *notes),
        bad_lines=tuple(bad_lines),
        naming_badly={name: bad for name, bad in named.items() if name not in lines},
    )


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


def _find_repositories(image: str) -> tuple[str, ...]:
    """Find the repositories that a bad line names: they stay tracked. Of joined lines those of all, else the first."""
    words = image.split()
    names = words if all(":" in word for word in words) else words[:1]
    return tuple(dict.fromkeys(filter(None, map(_find_repository, names))))


def _find_repository(image: str) -> str | None:
    name = image.partition("@")[0]
    for candidate in (name, name.rpartition(":")[0]):
        try:
            return Reference.parse_bare(candidate).repository
        except InvalidReferenceError:
            continue
    return None
