"""Libraries in an image: counted and said, never patched, and no reason to scan less."""

import io
import json
import socket
import subprocess
import zipfile
from pathlib import Path

import pytest

from patchgate.patcher.finding import Report
from tests.patch.adapters import Adapters
from tests.patch.bench import Bench
from tests.patch.oci_layout import write_layout
from tests.patch.scanner import QUIET
from tests.patch.second_layer import add_layer
from tests.plane.program import Program
from tests.ports import choose_ports

MINUTES = 300.0
TOKEN = "of-this-test"  # noqa: S105
URLLIB3 = "CVE-2019-11324"  # true of urllib3 before 1.24.2
LIBRARY_FACTS = [
    {
        "bucket": "pip::advisories",
        "pairs": [
            {
                "bucket": "urllib3",
                "pairs": [
                    {"key": URLLIB3, "value": {"VulnerableVersions": ["<1.24.2"], "PatchedVersions": ["1.24.2"]}}
                ],
            }
        ],
    },
    {"bucket": "vulnerability", "pairs": [{"key": URLLIB3, "value": {"Severity": "HIGH"}}]},
    {
        "bucket": "data-source",
        "pairs": [{"key": "pip::advisories", "value": {"ID": "ghsa", "Name": "advisories", "URL": ""}}],
    },
]


def make_jar() -> bytes:
    jar = io.BytesIO()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: app\n")
    return jar.getvalue()


PYTHON = {"opt/app/urllib3-1.24.1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: urllib3\nVersion: 1.24.1\n"}


@pytest.fixture
def adapters(bench: Bench) -> Adapters:
    return Adapters(bench, (bench.registry,))


@pytest.fixture
def database(bench: Bench) -> Path:
    """Knows what the OS packages lack, and one library."""
    folder = bench.write_database(bench.facts)
    (folder / "db/trivy.db").unlink()
    libraries = folder / "libraries.json"
    libraries.write_text(json.dumps(LIBRARY_FACTS))
    subprocess.run(
        [bench.programs.trivy_database, folder / "db/trivy.db", folder / "pairs.json", libraries], check=True
    )
    return folder


def push(bench: Bench, repository: str, files: dict[str, bytes]) -> str:
    layout = write_layout(bench.make_folder() / "layout", bench.debian.roots["tls"])
    return bench.registry.push(add_layer(layout, files), repository, "1.0")


def scan(adapters: Adapters, image: str, database: Path, server: str = "") -> Report:
    digest = adapters.registry.find_digest(*image.rsplit(":", 1))
    file = adapters.bench.make_folder() / "report.json"
    return adapters.make_trivy(database, server).scan(f"{image}@{digest}", "linux/amd64", file, MINUTES)


def test_a_library_is_counted_and_not_copas_to_patch(adapters: Adapters, bench: Bench, database: Path) -> None:
    image = push(bench, "libraries/python", PYTHON)
    report = scan(adapters, image, database)
    assert report.library_findings == 1
    assert report.findings
    assert URLLIB3 not in report.file.read_text()
    digest = adapters.registry.find_digest(*image.rsplit(":", 1))
    adapters.make_copa().fix(f"{image}@{digest}", [report], f"{image}-x", is_index=False, limit_seconds=MINUTES)
    after = scan(adapters, f"{image}-x", database)
    assert (after.findings, after.library_findings) == ((), 1)


@pytest.mark.parametrize(("name", "counted"), [("app.jar", 1), ("APP.JAR", None)])
def test_an_archive_of_java_needs_no_database_of_java(
    adapters: Adapters, bench: Bench, database: Path, name: str, counted: int | None
) -> None:
    image = push(bench, "libraries/java", PYTHON | {f"opt/app/{name}": make_jar()})
    report = scan(adapters, image, database)
    assert report.findings
    assert report.library_findings == counted


def test_a_trivy_server_finds_the_same(adapters: Adapters, bench: Bench, database: Path) -> None:
    image = push(bench, "libraries/server", PYTHON)
    (port,) = choose_ports(1)
    server = f"http://127.0.0.1:{port}"
    command = [bench.programs.trivy, "server", "--listen", f"127.0.0.1:{port}", "--skip-db-update", "--token", TOKEN]
    environment = {"TRIVY_CACHE_DIR": str(database), **QUIET}
    program = Program(
        ["/usr/bin/env", *(f"{name}={text}" for name, text in environment.items()), *map(str, command)],
        bench.make_folder() / "trivy-server.log",
        lambda: is_listening(port),
    )
    here = scan(adapters, image, database)
    with program.running():
        adapters.environment["TRIVY_TOKEN"] = TOKEN
        probed = adapters.make_trivy(bench.make_folder(), server).probe()
        there = scan(adapters, image, bench.make_folder(), server)
    assert probed.database is not None
    assert (there.findings, there.library_findings) == (here.findings, here.library_findings)


def is_listening(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1):
        return True
