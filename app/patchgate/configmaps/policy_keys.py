"""The policy's keys beside the main image list, each with its reader. A wrong value keeps the last good one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import InvalidReferenceError
from patchgate.limits import POLICY_HOURS, SHOWN_VALUE_CHARACTERS
from patchgate.policy.lines import BLANKS, read_lines
from patchgate.policy.part import Problem
from patchgate.policy.policy import DAY, DigestRequirement, Effect, Naming, Policy, Severity, StaleEffect
from patchgate.policy.reference import Reference
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
    mirrors = keys.read("mirrors", _read_mirrors, {}, dict(last_good.naming.mirrors))
    named = Naming(mirrors=mirrors)
    push_to = keys.read("push_to", lambda text: _read_push_to(text, named), (), last_good.naming.push_to)
    return replace(policy, naming=replace(named, push_to=push_to)), keys.problems


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


def _read_mirrors(text: str) -> dict[str, str]:
    """Read `NAME = REGISTRY` lines; a name that is itself mirrored leads to the registry's own name in one step."""
    direct = {_read_registry(name): _read_registry(registry) for name, registry in _read_pairs(text)}
    own_names = {}
    for name, first in direct.items():
        registry, seen = first, {name}
        while registry in direct and registry not in seen:
            seen.add(registry)
            registry = direct[registry]
        if registry in direct:
            raise ValueError(f"{name} is its own mirror")
        own_names[name] = registry
    return own_names


def _read_push_to(text: str, naming: Naming) -> tuple[tuple[str, str], ...]:
    """Read `SOURCE = TARGET` lines, the longest source first: it is the closest."""
    pairs = ((_read_prefix(source, naming), _read_prefix(target, naming)) for source, target in _read_pairs(text))
    return tuple(sorted(dict(pairs).items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _read_pairs(text: str) -> Iterable[tuple[str, str]]:
    for line in read_lines(text):
        content = line.text.partition("#")[0].strip(BLANKS)
        if line.fault:
            raise ValueError(f"line {line.number}: {line.fault}")
        if not content:
            continue
        left, equals, right = content.partition("=")
        if not equals or not left.strip() or not right.strip():
            raise ValueError("write NAME = NAME, one a line")
        yield left.strip(), right.strip()


def _read_registry(text: str) -> str:
    """Read a registry's host: whatever the grammar takes before a path."""
    try:
        reference = Reference.parse_bare(f"{text}/x/x")
    except InvalidReferenceError as error:
        raise ValueError(str(error)) from error
    if reference.path != "x/x":
        raise ValueError(f"{text!r} is not a registry: write its host name")
    return reference.registry


def _read_prefix(text: str, naming: Naming) -> str:
    """Read a registry, or a registry and the beginning of a path, under its canonical name."""
    host, slash, path = text.rstrip("/").partition("/")
    registry = naming.mirrors.get(_read_registry(host), _read_registry(host))
    if not slash:
        return registry
    try:
        return f"{registry}/{Reference.parse_bare(f'{host}/{path}/x').path.removesuffix('/x')}"
    except InvalidReferenceError as error:
        raise ValueError(str(error)) from error
