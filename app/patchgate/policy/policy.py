"""The policy that people set beside the image list: what counts, how long, and what happens then.

Values only. The ConfigMap's keys and how a wrong one is reported are `configmaps`' part.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from patchgate.policy.mirror import Mirrors
from patchgate.policy.reference import DOCKER_HUB, Reference, normalise_path


class Severity(StrEnum):
    """Trivy's severities, least first."""

    UNKNOWN = "UNKNOWN"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class Effect(StrEnum):
    """What a row of the decision table does where the policy decides."""

    DENY = "deny"
    WARN = "warn"
    ALLOW = "allow"


class StaleEffect(StrEnum):
    """What happens to a stale approval; `deny` warns while the patcher itself has not run."""

    DENY = "deny"
    DENY_ALWAYS = "deny-always"
    WARN = "warn"


class DigestRequirement(StrEnum):
    """Which images must carry a digest."""

    NO = "no"
    TRACKED = "tracked"
    ALL = "all"


DAY: Final = timedelta(hours=24)
NAMES_OF_A_REPOSITORY: Final = 32
"""Names of one repository that the catalogue lists: a registry has a few mirrors, and each name is written out."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Which names mean the same place, and where patched images go. A change of it changes every index.

    Attributes:
        mirrors: other names of registries, or of the first segments of their repositories.
        push_to: prefix of source repositories → prefix of target repositories, both normalised, the longest first.
    """

    mirrors: Mirrors = field(default_factory=Mirrors)
    push_to: tuple[tuple[str, str], ...] = ()

    def canonical(self, repository: str) -> str:
        """Name the repository by its registry's own name; unchanged where no mirror has it."""
        return self.mirrors.rename_fully(repository) if self.mirrors else repository

    def rename(self, reference: Reference) -> Reference:
        """Give the reference under its canonical name."""
        name = self.canonical(reference.repository)
        if name == reference.repository:
            return reference
        registry, _, path = name.partition("/")
        return Reference(registry, path, reference.tag, reference.digest)

    def list_names(self, repository: str) -> tuple[str, ...]:
        """List every name that the mirrors give to a repository, its canonical one first."""
        names = [repository]
        for name in names:  # which grows: a mirror may have mirrors
            found = (other for mirror in self.mirrors for other in mirror.list_names(name))
            names += [other for other in found if other not in names][: NAMES_OF_A_REPOSITORY - len(names)]
        return tuple(names)

    def find_target(self, repository: str) -> str | None:
        """Name the repository that the repository's patched images are pushed to; None: the same one."""
        names = (repository, repository.replace(f"{DOCKER_HUB}/library/", f"{DOCKER_HUB}/", 1))  # as people write it
        for source, target in self.push_to:
            for name in names:
                if name == source or name.startswith(f"{source}/"):
                    registry, _, path = (target + name.removeprefix(source)).partition("/")
                    return f"{registry}/{normalise_path(registry, path)}"
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force; the defaults are those of the contract.

    Attributes:
        severity_threshold: findings of it and above count.
        patch_sla: from first seen vulnerable to denied.
        stale_after: an approval verified longer ago is stale.
        rollout_grace: after a patch, how long a controller may still re-create Pods of the old image.
        stale: what happens to a stale approval.
        unscanned: what happens to a listed image without a record.
        unlisted: what happens to another tag or digest of a tracked repository.
        unpatchable: what happens to an image that Copa cannot patch.
        unqualified: what happens to an image whose name has no registry.
        require_digest: which images must carry a digest.
        platforms: those of the nodes.
        naming: mirrors and push targets.
    """

    severity_threshold: Severity = Severity.CRITICAL
    patch_sla: timedelta = DAY
    stale_after: timedelta = DAY
    rollout_grace: timedelta = DAY
    stale: StaleEffect = StaleEffect.DENY
    unscanned: Effect = Effect.WARN
    unlisted: Effect = Effect.DENY
    unpatchable: Effect = Effect.WARN
    unqualified: Effect = Effect.ALLOW
    require_digest: DigestRequirement = DigestRequirement.NO
    platforms: tuple[str, ...] = ("linux/amd64",)
    naming: Naming = field(default_factory=Naming)
