"""Images, reports and attempts for the patcher's tests; what a test does not care for is filled in."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from patchgate.patcher.attempt import Attempt
from patchgate.patcher.finding import Finding, Report
from patchgate.patcher.image import Manifest, Target
from patchgate.policy.policy import Policy, Severity
from patchgate.policy.record import Approval, Record, Scanner
from tests.world import NOW, digest

REPOSITORY = "registry.example.com/myapp/api"
TAG = "1.4.2"
IMAGE = f"{REPOSITORY}:{TAG}"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
BOTH = Policy(platforms=(AMD64, ARM64))
TRIVY = Scanner("trivy", "0.69.3", NOW - timedelta(hours=12))
NEWER_TRIVY = Scanner("trivy", "0.69.3", NOW - timedelta(hours=1))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def manifest(seed: str, *platforms: str) -> Manifest:
    """An index of these platforms, by default of both."""
    held = {each: digest(f"{seed} {each}") for each in platforms or (AMD64, ARM64)}
    return Manifest(digest(seed), is_index=True, platforms=held)


def finding(severity: str = "CRITICAL", identifier: str = "CVE-2026-1", package: str = "libssl3") -> Finding:
    return Finding(identifier, package, "3.0.18", "3.0.19", Severity(severity))


def report(*findings: Finding, platform: str = AMD64, os: str = "debian 12.5", is_end_of_life: bool = False) -> Report:
    family, _, version = os.partition(" ")
    return Report(platform, family, version, is_end_of_life, findings, None, Path("report.json"))


def target(record: Record | None = None) -> Target:
    return Target(REPOSITORY, TAG, None, REPOSITORY, record)


def attempt(source: Manifest | None = None, begun: datetime = NOW, **fields: object) -> Attempt:
    """An attempt at the image, on one platform."""
    policy, scanner = fields.pop("policy", Policy()), fields.pop("scanner", TRIVY)
    assert isinstance(policy, Policy)
    assert isinstance(scanner, Scanner)
    made = Attempt(target(), policy, scanner, begun, source, platforms=policy.platforms)
    return replace(made, **fields)  # type: ignore[arg-type] # a builder's keywords


def approval(seed: str, verified: datetime = NOW, platforms: Iterable[str] = (AMD64,)) -> Approval:
    """The approval of a patched image, tagged by its seed."""
    held = {each: digest(f"{seed} {each}") for each in platforms}
    return Approval(REPOSITORY, f"{TAG}-patched-{seed}", digest(seed), held, verified)
