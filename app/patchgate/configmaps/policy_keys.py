"""The policy's keys beside the main image list, each with its reader. A wrong value keeps the last good one."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import InvalidMirrorError
from patchgate.limits import POLICY_HOURS, SHOWN_VALUE_CHARACTERS
from patchgate.policy.mirror import WrongLine, list_contents, parse_mirror, read_mirrors
from patchgate.policy.part import Problem
from patchgate.policy.policy import DAY, DigestRequirement, Effect, Naming, Policy, Severity, StaleEffect
from patchgate.policy.verdict import show

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)
KEYS: Final = frozenset(
    {
        "severity_threshold",
        "patch_sla_hours",
        "stale_after_hours",
        "rollout_grace_hours",
        "stale",
        "unscanned",
        "unlisted",
        "unpatchable",
        "unqualified",
        "require_digest",
        "platforms",
        "mirrors",
        "push_to",
    }
)
"""Every key of the policy."""
PLATFORMS: Final = 10
"""Platforms of a policy: more than any cluster's nodes have, and a record that names each twice stays small."""
PLATFORM_CHARACTERS: Final = 32
"""One of them: `linux/arm64/v8` has 14."""
_PLATFORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9.]+)?")


@dataclass(slots=True)
class _Keys:
    """The data beside the list, read key by key; collects what is wrong with it."""

    configmap: ConfigMap
    problems: list[Problem]

    def read(self, key: str, reader: Callable[[str], _Value], default: _Value, last_good: _Value) -> _Value:
        """Read a key: its default where it is absent, the last good value where it is wrong."""
        text = self.configmap.data.get(key)
        if text is None:
            return default
        try:
            return reader(text.strip())
        except ValueError as error:
            shown = show(text.strip(), SHOWN_VALUE_CHARACTERS)
            reason = f"{shown!r} is wrong ({error}); the last good value stays in force"
            self.problems.append(Problem(self.configmap.name, key, reason))
            return last_good

    def report_lines(self, key: str, wrong: Iterable[WrongLine]) -> None:
        """Report lines of a key that have no effect."""
        self.problems += (Problem(self.configmap.name, f"{key} line {each.number}", each.reason) for each in wrong)


def read_policy(configmap: ConfigMap, previous: Policy | None) -> tuple[Policy, list[Problem]]:
    """Read the policy; what is wrong keeps its previous value, at first its default, and comes back as a problem."""
    keys, default = _Keys(configmap, []), Policy()
    last_good = previous or default
    sla = keys.read("patch_sla_hours", _read_hours, default.patch_sla, last_good.patch_sla)
    stale_after = max(sla, DAY)
    policy = Policy(
        severity_threshold=keys.read(
            "severity_threshold", _one_of(Severity), default.severity_threshold, last_good.severity_threshold
        ),
        patch_sla=sla,
        stale_after=keys.read(
            "stale_after_hours", _read_some_hours, stale_after, previous.stale_after if previous else stale_after
        ),
        rollout_grace=keys.read("rollout_grace_hours", _read_hours, default.rollout_grace, last_good.rollout_grace),
        stale=keys.read("stale", _one_of(StaleEffect), default.stale, last_good.stale),
        unscanned=keys.read("unscanned", _deny_or_warn, default.unscanned, last_good.unscanned),
        unlisted=keys.read("unlisted", _one_of(Effect), default.unlisted, last_good.unlisted),
        unpatchable=keys.read("unpatchable", _deny_or_warn, default.unpatchable, last_good.unpatchable),
        unqualified=keys.read("unqualified", _one_of(Effect), default.unqualified, last_good.unqualified),
        require_digest=keys.read(
            "require_digest", _one_of(DigestRequirement), default.require_digest, last_good.require_digest
        ),
        platforms=keys.read("platforms", _read_platforms, default.platforms, last_good.platforms),
    )
    naming = _read_naming(keys, last_good.naming)
    return replace(policy, naming=naming), keys.problems


def _read_naming(keys: _Keys, last_good: Naming) -> Naming:
    """Read `mirrors` and `push_to` line by line.

    While a line is wrong, what the last good text said of other names stays in force: a slip must not untrack them.
    """
    text = keys.configmap.data.get("mirrors", "")
    mirrors, wrong = read_mirrors(text)
    keys.report_lines("mirrors", wrong)
    if wrong:
        mirrors, _ = read_mirrors(
            "\n".join(f"{each.source} = {each.target}" for each in (*mirrors, *last_good.mirrors))
        )
    named = Naming(mirrors=mirrors)
    pairs, wrong_pairs = _read_push_to(keys.configmap.data.get("push_to", ""), named)
    keys.report_lines("push_to", wrong_pairs)
    kept = dict(last_good.push_to) if wrong_pairs else {}
    return replace(named, push_to=_sort_pairs(kept | pairs))


def _one_of(choices: type[_Choice]) -> Callable[[str], _Choice]:
    def read(text: str) -> _Choice:
        if text not in list(choices):
            raise ValueError(f"write one of {', '.join(choices)}")
        return choices(text)

    return read


def _deny_or_warn(text: str) -> Effect:
    if text not in (Effect.DENY, Effect.WARN):
        raise ValueError("write deny or warn")
    return Effect(text)


def _read_hours(text: str) -> timedelta:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > POLICY_HOURS:
        raise ValueError(f"write whole hours, at most {POLICY_HOURS}")
    return timedelta(hours=int(text))


def _read_some_hours(text: str) -> timedelta:
    hours = _read_hours(text)
    if not hours:
        raise ValueError("write at least 1: with 0 every approval would be stale at once")
    return hours


def _read_platforms(text: str) -> tuple[str, ...]:
    platforms = tuple(dict.fromkeys(platform.strip() for platform in text.split(",")))
    if not all(map(_PLATFORM.fullmatch, platforms)) or any(len(each) > PLATFORM_CHARACTERS for each in platforms):
        raise ValueError("write OS/ARCHITECTURE, separated by commas")
    if len(platforms) > PLATFORMS:
        raise ValueError(f"write at most {PLATFORMS}: those of the nodes")
    return platforms


def _read_push_to(text: str, naming: Naming) -> tuple[dict[str, str], list[WrongLine]]:
    """Read `SOURCE = TARGET` lines, each a registry, or one with the first segments of a path; names are canonical."""
    pairs: dict[str, str] = {}
    wrong: list[WrongLine] = []
    for number, content in list_contents(text, wrong):
        try:
            pair = parse_mirror(content)
        except InvalidMirrorError as error:
            wrong.append(WrongLine(number, str(error)))
        else:
            pairs[_rename_prefix(pair.source, naming)] = _rename_prefix(pair.target, naming)
    return pairs, wrong


def _sort_pairs(pairs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Sort them with the longest source first: it is the closest."""
    return tuple(sorted(pairs.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _rename_prefix(prefix: str, naming: Naming) -> str:
    """Name the beginning of repositories as its registry does; two more segments keep Docker Hub from adding one."""
    return naming.canonical(f"{prefix}/x/x").removesuffix("/x/x")
