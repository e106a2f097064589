"""Reads a report of Trivy (schema 2), and believes it only if it is of what was asked for. Pure.

Trivy exits 0 with a report of another platform, with `{}`, without a word on an OS that it has no data of, and where
somebody deleted the list of installed packages: an OS without packages is of an image that nobody could scan.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import ScanError
from patchgate.patcher.finding import Finding, Report
from patchgate.patcher.oci.manifest import ConfigSchema
from patchgate.policy.policy import Severity
from patchgate.validation import say_first_error

_SCHEMA_VERSION: Final = 2
_OS_PACKAGES: Final = "os-pkgs"
_LIBRARIES: Final = "lang-pkgs"


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _OsSchema(_Schema):
    family: str = Field(alias="Family")
    version: str = Field(default="", alias="Name")
    is_end_of_life: bool = Field(default=False, alias="EOSL")


class _MetadataSchema(_Schema):
    os: _OsSchema | None = Field(default=None, alias="OS")
    digests: tuple[str, ...] = Field(default=(), alias="RepoDigests")
    image: ConfigSchema = Field(alias="ImageConfig")


class _VulnerabilitySchema(_Schema):
    identifier: str = Field(alias="VulnerabilityID")
    package: str = Field(alias="PkgName")
    installed: str = Field(default="", alias="InstalledVersion")
    fixed: str = Field(default="", alias="FixedVersion")
    severity: str = Field(default="", alias="Severity")


class _ResultSchema(_Schema):
    kind: str = Field(default="", alias="Class")
    packages: tuple[Any, ...] | None = Field(default=None, alias="Packages")
    vulnerabilities: tuple[_VulnerabilitySchema, ...] | None = Field(default=None, alias="Vulnerabilities")


class _ReportSchema(_Schema):
    schema_version: int = Field(alias="SchemaVersion")
    metadata: _MetadataSchema = Field(alias="Metadata")
    results: tuple[_ResultSchema, ...] | None = Field(default=None, alias="Results")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report must be of.

    Attributes:
        digest: of the image that was named, index or manifest.
        platform: such as `linux/amd64`.
        counts_libraries: whether it looked at libraries at all.
    """

    digest: str
    platform: str
    counts_libraries: bool


def read_report(text: bytes, asked: Asked, file: Path) -> Report:
    """Read and check a report. file: where it lies, for Copa.

    Raises:
        ScanError: it is not to be believed; says why.
    """
    try:
        report = _ReportSchema.model_validate_json(text)
    except ValidationError as error:
        raise ScanError(f"Trivy's report cannot be believed: {say_first_error(error)}") from None
    _check(report, asked)
    os = report.metadata.os if _has_os_packages(report) else None
    return Report(
        platform=asked.platform,
        os_family=os.family if os else "",
        os_version=os.version if os else "",
        is_end_of_life=os.is_end_of_life if os else False,
        findings=tuple(_list_findings(report, _OS_PACKAGES)),
        library_findings=sum(1 for _ in _list_findings(report, _LIBRARIES)) if asked.counts_libraries else None,
        file=file,
    )


def keep_os_packages(text: bytes) -> bytes:
    """Give a report (one that was read) without what libraries have: Copa is to patch OS packages alone."""
    report: dict[str, Any] = json.loads(text)
    report["Results"] = [result for result in report.get("Results") or () if result.get("Class") == _OS_PACKAGES]
    return json.dumps(report).encode()


def _check(report: _ReportSchema, asked: Asked) -> None:
    if report.schema_version != _SCHEMA_VERSION:
        raise ScanError(f"Trivy's report has schema {report.schema_version}, and not {_SCHEMA_VERSION}: another Trivy?")
    if not any(each.endswith(f"@{asked.digest}") for each in report.metadata.digests):
        raise ScanError(f"Trivy's report is not of {asked.digest}")
    if not _is_same_platform(report.metadata.image, asked.platform):
        platform = report.metadata.image.name or "no platform"
        raise ScanError(f"Trivy's report is of {platform}, and not of {asked.platform}")
    os = report.metadata.os
    kinds = {result.kind for result in report.results or ()}
    if os and os.family and _OS_PACKAGES not in kinds:
        raise ScanError(f"Trivy knows no vulnerabilities of {os.family} {os.version}".rstrip())
    if os and os.family and not _has_os_packages(report):
        name = f"{os.family} {os.version}".rstrip()
        raise ScanError(
            f"Trivy sees {name} and none of its packages: the image's list of them was deleted (on Debian"
            " /var/lib/dpkg/status); build the image with it, or ask for an exception"
        )


def _has_os_packages(report: _ReportSchema) -> bool:
    return any(result.packages for result in report.results or () if result.kind == _OS_PACKAGES)


def _is_same_platform(image: ConfigSchema, asked: str) -> bool:
    """Compare platforms; a configuration may leave the variant out."""
    return image.name == asked or (not image.variant and asked.startswith(f"{image.os}/{image.architecture}/"))


def _list_findings(report: _ReportSchema, kind: str) -> Iterator[Finding]:
    for result in report.results or ():
        for each in result.vulnerabilities or () if result.kind == kind else ():
            if each.fixed:
                severity = Severity(each.severity) if each.severity in Severity.__members__ else Severity.UNKNOWN
                yield Finding(each.identifier, each.package, each.installed, each.fixed, severity)
