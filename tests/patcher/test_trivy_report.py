"""Which reports of Trivy are believed, and what they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from patchgate.errors import ScanError
from patchgate.patcher.finding import Finding, Report
from patchgate.patcher.trivy_report import Asked, keep_os_packages, read_report
from patchgate.policy.policy import Severity
from tests.world import digest

FILE = Path("report.json")
ASKED = Asked(digest("api"), "linux/amd64", counts_libraries=True)


def vulnerability(identifier: str, **fields: str) -> dict[str, str]:
    return {
        "VulnerabilityID": identifier,
        "PkgName": "libexpat1",
        "InstalledVersion": "2.5.0-1",
        "FixedVersion": "2.5.0-2",
        "Severity": "HIGH",
    } | fields


def result(*vulnerabilities: dict[str, str], kind: str = "os-pkgs") -> dict[str, Any]:
    return {
        "Target": "api (debian 12.5)",
        "Class": kind,
        "Type": "debian",
        "Packages": [{"Name": "libexpat1", "Version": "2.5.0-1"}],
        "Vulnerabilities": list(vulnerabilities),
    }


def report(*results: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    metadata = {
        "OS": {"Family": "debian", "Name": "12.5"},
        "RepoDigests": [f"registry.example.com/shop/api@{digest('api')}"],
        "ImageConfig": {"architecture": "amd64", "os": "linux", "history": [], "config": {}},
    }
    return {"SchemaVersion": 2, "Metadata": metadata | fields, "Results": list(results)}


def read(written: object, asked: Asked = ASKED) -> Report:
    return read_report(json.dumps(written).encode(), asked, FILE)


def test_a_report_says_what_is_fixable() -> None:
    assert read(report(result(vulnerability("CVE-1"), vulnerability("CVE-2", Severity="CRITICAL")))) == Report(
        "linux/amd64",
        "debian",
        "12.5",
        is_end_of_life=False,
        findings=(
            Finding("CVE-1", "libexpat1", "2.5.0-1", "2.5.0-2", Severity.HIGH),
            Finding("CVE-2", "libexpat1", "2.5.0-1", "2.5.0-2", Severity.CRITICAL),
        ),
        library_findings=0,
        file=FILE,
    )


def test_a_clean_report_is_one_with_a_result_and_no_vulnerabilities() -> None:
    clean = {"Target": "api (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Packages": [{"Name": "libc6"}]}
    for each in (clean, clean | {"Vulnerabilities": None}):
        assert (read(report(each)).os_family, read(report(each)).findings) == ("debian", ())


def test_what_has_no_fix_is_left_out() -> None:
    assert read(report(result(vulnerability("CVE-1", FixedVersion="")))).findings == ()


@pytest.mark.parametrize("severity", ["", "NEGLIGIBLE", "high"])
def test_a_severity_that_is_none_of_trivys_is_unknown(severity: str) -> None:
    found = read(report(result(vulnerability("CVE-1", Severity=severity)))).findings
    assert [each.severity for each in found] == [Severity.UNKNOWN]


def test_libraries_are_counted_apart() -> None:
    libraries = result(vulnerability("CVE-3"), vulnerability("CVE-4", FixedVersion=""), kind="lang-pkgs")
    read_one = read(report(result(vulnerability("CVE-1")), libraries))
    assert [each.identifier for each in read_one.findings] == ["CVE-1"]
    assert read_one.library_findings == 1


def test_libraries_that_were_not_looked_at_are_not_said_to_have_none() -> None:
    asked = Asked(digest("api"), "linux/amd64", counts_libraries=False)
    assert read(report(result()), asked).library_findings is None


def test_copa_gets_os_packages_alone() -> None:
    os_packages, libraries = result(vulnerability("CVE-1")), result(vulnerability("CVE-3"), kind="lang-pkgs")
    kept = json.loads(keep_os_packages(json.dumps(report(os_packages, libraries)).encode()))
    assert kept == report(os_packages)


def test_an_os_without_support_is_said_to_be_so() -> None:
    assert read(report(result(), OS={"Family": "debian", "Name": "9.13", "EOSL": True})).is_end_of_life


def test_an_image_without_os_packages_has_no_family() -> None:
    scratch = read(report(OS=None))
    assert (scratch.os_family, scratch.os_version, scratch.findings) == ("", "", ())


@pytest.mark.parametrize("packages", [{}, {"Packages": None}, {"Packages": []}])
def test_an_image_whose_list_of_packages_was_deleted_is_not_believed(packages: dict[str, object]) -> None:
    emptied = {"Target": "api (debian 12.5)", "Class": "os-pkgs", "Type": "debian", **packages}
    libraries = result(kind="lang-pkgs")
    with pytest.raises(ScanError, match=r"sees debian 12\.5 and none of its packages: the image's list .* deleted"):
        read(report(emptied, libraries))


def test_an_os_that_trivy_has_no_data_of_is_not_clean() -> None:
    with pytest.raises(ScanError, match=r"^Trivy knows no vulnerabilities of archlinux rolling$"):
        read(report(OS={"Family": "archlinux", "Name": "rolling"}))


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "cannot be believed: SchemaVersion: is missing"),
        ([], "cannot be believed: must be an object"),
        ({"SchemaVersion": 2}, "cannot be believed: Metadata: is missing"),
        (report(result()) | {"SchemaVersion": 3}, "has schema 3, and not 2: another Trivy"),
        (
            report(result(), ImageConfig={"architecture": "arm64", "os": "linux"}),
            "is of linux/arm64, and not of linux/amd64",
        ),
        (report(result(), ImageConfig={"architecture": "amd64", "os": "windows"}), "is of windows/amd64"),
        (report(result(), ImageConfig={}), "is of no platform"),
        (report(result(), RepoDigests=[]), "is not of sha256:"),
        (report(result(), RepoDigests=[f"shop/api@{digest('other')}"]), "is not of sha256:"),
        (report(result({"VulnerabilityID": "CVE-1"})), r"Results\.0\.Vulnerabilities\.0\.PkgName: is missing"),
    ],
)
def test_what_is_not_of_what_was_asked_is_not_believed(written: object, says: str) -> None:
    with pytest.raises(ScanError, match=says):
        read(written)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"null"])
def test_what_is_no_json_is_not_believed(text: bytes) -> None:
    with pytest.raises(ScanError, match="cannot be believed"):
        read_report(text, ASKED, FILE)


@pytest.mark.parametrize(
    ("image", "platform"),
    [
        ({"architecture": "arm64", "os": "linux", "variant": "v8"}, "linux/arm64"),
        ({"architecture": "arm", "os": "linux", "variant": "v7"}, "linux/arm/v7"),
        ({"architecture": "arm", "os": "linux"}, "linux/arm/v7"),
    ],
)
def test_a_variant_may_go_without_saying(image: dict[str, str], platform: str) -> None:
    asked = Asked(digest("api"), platform, counts_libraries=True)
    assert read(report(result(), ImageConfig=image), asked).platform == platform
