"""How Trivy is run, and what becomes of one that fails: programs of the tests' own stand in its place."""

import json
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgate.errors import ScanError, SetupError
from patchgate.patcher.finding import Report
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.transport import Transport
from patchgate.patcher.trivy import Trivy, TrivySettings, find_trivy_cache
from patchgate.policy.mirror import Mirrors, parse_mirror
from patchgate.policy.record import Scanner
from tests.patcher.http_server import HttpServer, Reply
from tests.patcher.programs import PATH, make_rooms, read_arguments, read_environment, write_program
from tests.patcher.test_trivy_report import report, result, vulnerability
from tests.world import digest

LONG_SECONDS = 60.0
IMAGE = f"registry.example.com/shop/api:1.0@{digest('api')}"
UPDATED = datetime(2026, 5, 9, 6, tzinfo=UTC)
VERSION = json.dumps({"Version": "v0.69.3", "VulnerabilityDB": {"Version": 2, "UpdatedAt": "2026-05-09T06:00:00Z"}})
WRITES = 'while [ "$1" != --output ]; do shift; done; echo "$REPORT" > "$2"'
MIRRORED = Hosts(
    frozenset({"mirror.example:5000"}), Mirrors.of([parse_mirror("docker.io = mirror.example:5000/dockerhub")])
)
ENVIRONMENT = {"PATH": PATH, "HOME": "/home/me", "TRIVY_SEVERITY": "LOW", "TRIVY_TOKEN": "server-token"}


class Made:
    """Makes a Trivy of a script."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stop = threading.Event()
        self.warnings: list[str] = []

    def __call__(
        self, script: str, *, hosts: Hosts | None = None, server: str = "", skip: bool = True, repository: str = ""
    ) -> Trivy:
        self.program = write_program(self.directory, "trivy", script)
        return Trivy(
            TrivySettings(self.program, self.directory / "cache", server, repository, skip),
            hosts=hosts or Hosts(),
            transport=Transport({}, Pace(tries=1, connect_seconds=5, read_seconds=5)),
            rooms=make_rooms(self.directory, ENVIRONMENT),
            environment=ENVIRONMENT,
            stop=self.stop,
            secrets=lambda: {"a-known-secret"},
            warn=self.warnings.append,
            pause_seconds=0.001,
        )

    def scan(self, script: str, limit_seconds: float = LONG_SECONDS) -> Report:
        return self(script).scan(IMAGE, "linux/amd64", self.directory / "report.json", limit_seconds)


@pytest.fixture
def trivy(tmp_path: Path) -> Made:
    return Made(tmp_path)


def writes(written: object) -> str:
    return f"REPORT='{json.dumps(written)}'; {WRITES}"


def test_a_scan_asks_for_one_platform_of_the_very_digest(trivy: Made) -> None:
    assert len(trivy.scan(writes(report(result(vulnerability("CVE-1"))))).findings) == 1
    assert read_arguments(trivy.program) == [
        *("image", "--no-progress", "--cache-dir", f"{trivy.directory}/cache", "--image-src", "remote"),
        *("--platform", "linux/amd64", "--scanners", "vuln", "--pkg-types", "os,library", "--ignore-unfixed"),
        *("--list-all-pkgs", "--format", "json", "--output", f"{trivy.directory}/report.json", "--timeout", "60s"),
        *("--cache-backend", "memory", "--skip-db-update", "--skip-java-db-update", "--offline-scan"),
        *("--skip-files", "**/*.jar", "--skip-files", "**/*.war", "--skip-files", "**/*.ear"),
        *("--skip-files", "**/*.par", IMAGE),
    ]


def test_a_version_that_trivy_does_not_know_is_not_clean_and_believed_where_something_is_found(trivy: Made) -> None:
    warns = 'printf \'WARN\\tThis OS version is not on the EOL list\\tfamily="debian" version="sid"\\n\' >&2; '
    with pytest.raises(ScanError, match=r"^Trivy does not know debian 12\.5, .*: update it, or the image$"):
        trivy.scan(warns + writes(report(result())))
    assert len(trivy.scan(warns + writes(report(result(vulnerability("CVE-1"))))).findings) == 1


def test_a_report_is_for_nobody_else_to_read(trivy: Made) -> None:
    trivy.scan(writes(report(result())))
    assert stat.S_IMODE((trivy.directory / "report.json").stat().st_mode) == 0o600


def test_trivy_has_no_settings_but_ours(trivy: Made) -> None:
    trivy.scan(writes(report(result())))
    environment = read_environment(trivy.program)
    assert {name: text for name, text in environment.items() if name.startswith("TRIVY_")} == {
        "TRIVY_SKIP_VERSION_CHECK": "true",
        "TRIVY_DISABLE_TELEMETRY": "true",
    }
    room = Path(environment["HOME"]).parent
    assert (room.parent, environment["HOME"]) == (trivy.directory, f"{room}/home")
    assert (environment["DOCKER_CONFIG"], environment["TMPDIR"]) == (str(room / "docker"), str(room / "tmp"))
    assert not room.exists()


def test_archives_of_java_are_looked_into_where_there_is_a_database_of_them(trivy: Made) -> None:
    (trivy.directory / "cache/java-db").mkdir(parents=True)
    (trivy.directory / "cache/java-db/metadata.json").write_text("{}")
    trivy.scan(writes(report(result())))
    assert "--skip-files" not in read_arguments(trivy.program)


def test_libraries_that_cannot_be_looked_at_are_not_counted(trivy: Made) -> None:
    script = (
        'case "$*" in *os,library*) echo "post analysis error: Unable to initialize the Java DB" >&2; exit 1;; esac; '
    )
    scanned = trivy.scan(script + writes(report(result(vulnerability("CVE-1")))))
    assert (len(scanned.findings), scanned.library_findings) == (1, None)


def test_an_image_is_read_from_its_mirror(trivy: Made) -> None:
    image = f"docker.io/library/nginx:1.25@{digest('api')}"
    scanner = trivy(writes(report(result())), hosts=MIRRORED)
    scanner.scan(image, "linux/amd64", trivy.directory / "report.json", LONG_SECONDS)
    assert read_arguments(trivy.program)[-1] == f"mirror.example:5000/dockerhub/library/nginx:1.25@{digest('api')}"
    assert read_environment(trivy.program)["TRIVY_INSECURE"] == "true"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 0", "^Trivy's report cannot be believed"),
        (writes({}), "^Trivy's report cannot be believed"),
        (writes(report(result(), RepoDigests=[])), "^Trivy's report is not of"),
        ("exit 7", r"^Trivy failed \(exit code 7\)$"),
        ("kill -KILL $$", r"^Trivy was killed, by nobody here; give the patcher more memory$"),
        (
            "printf 'Z\\tFATAL\\tFatal error\\trun error: token=hunter2hunter2 a-known-secret\\n' >&2; exit 1",
            r"^Trivy failed \(exit code 1\) \(it says: Fatal error run error: token=\*\*\* \*\*\*\)$",
        ),
        (
            "echo 'FATAL GET https://robot:hunter2@r.example/v2/: UNAUTHORIZED: authentication' >&2; exit 1",
            r"^Trivy: the registry refused its credentials \(401\); mend the docker config .*https://\*\*\*@r\.example",
        ),
        ("echo 'FATAL MANIFEST_UNKNOWN: manifest unknown' >&2; exit 1", "the registry has no such image any more"),
        ("echo 'FATAL TOOMANYREQUESTS: rate limit' >&2; exit 1", r"too many requests \(429\)"),
        ("echo 'FATAL write: no space left on device' >&2; exit 1", "no room left on a disk"),
        (
            "echo 'FATAL GET http://r.example/v2/: unexpected status code 500 Internal Server Error' >&2; exit 1",
            r"^Trivy: the registry fails \(5xx\); look at its log",
        ),
        ("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1", r"^Trivy failed \(exit code 1\) \(it says: x+…\)$"),
    ],
)
def test_a_scan_that_fails_says_why(trivy: Made, script: str, says: str) -> None:
    with pytest.raises(ScanError, match=says) as caught:
        trivy.scan(script)
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_scan_that_takes_too_long_is_ended(trivy: Made) -> None:
    with pytest.raises(ScanError, match=r"^Trivy took longer than 1 s; give an image more time$"):
        trivy.scan("exec sleep 1000", 1)


def test_a_stopped_patcher_ends_a_scan(trivy: Made) -> None:
    trivy.stop.set()
    with pytest.raises(ScanError, match=r"^stopped before Trivy was done$"):
        trivy.scan("exec sleep 1000")


def test_a_missing_trivy_cannot_start(trivy: Made) -> None:
    scanner = trivy("exit 0")
    Path(trivy.program).unlink()
    with pytest.raises(SetupError, match=r"^cannot start .*/trivy: No such file or directory"):
        scanner.probe()


def test_a_probe_says_version_and_database(trivy: Made) -> None:
    assert trivy(f"echo '{VERSION}'").probe() == Scanner("trivy", "0.69.3", UPDATED)


@pytest.mark.parametrize("script", ["echo Version: 0.20", "echo '{}'", "true"])
def test_what_is_no_trivy_cannot_start(trivy: Made, script: str) -> None:
    with pytest.raises(SetupError, match="does not say its version as Trivy does; is it one"):
        trivy(script).probe()


def test_a_trivy_that_fails_cannot_start(trivy: Made) -> None:
    with pytest.raises(SetupError, match=r"^Trivy failed \(exit code 127\)"):
        trivy("no-such-command-at-all").probe()


def test_without_a_database_it_cannot_start(trivy: Made) -> None:
    with pytest.raises(SetupError, match=rf"^Trivy has no vulnerability database in {trivy.directory}/cache"):
        trivy('echo \'{"Version": "0.69.3"}\'').probe()


def test_the_database_is_updated_once_from_where_the_setting_says(trivy: Made) -> None:
    has = f"[ -e {trivy.directory}/has ] && echo '{VERSION}' || echo '{{\"Version\": \"0.69.3\"}}'"
    script = f'case "$*" in *--download-db-only*) touch {trivy.directory}/has;; *) {has};; esac'
    scanner = trivy(script, skip=False, repository="mirror.example/trivy-db:2").probe()
    assert scanner.database == UPDATED
    arguments = read_arguments(trivy.program)
    assert arguments.count("--download-db-only") == 1
    assert arguments[arguments.index("--db-repository") + 1] == "mirror.example/trivy-db:2"


def test_a_database_that_cannot_be_updated_still_serves(trivy: Made) -> None:
    script = f"case \"$*\" in *--download-db-only*) echo 'FATAL no such host' >&2; exit 1;; *) echo '{VERSION}';; esac"
    assert trivy(script, skip=False).probe().database == UPDATED
    assert trivy.warnings == [
        (
            "the vulnerability database could not be updated, the one there is is used:"
            " Trivy: a host name is not known here (it says: no such host)"
        )
    ]


def test_a_first_database_that_cannot_be_had_stops_the_start(trivy: Made) -> None:
    script = 'case "$*" in *--download-db-only*) exit 1;; *) echo \'{"Version": "0.69.3"}\';; esac'
    with pytest.raises(SetupError, match=r"^no vulnerability database could be downloaded: Trivy failed"):
        trivy(script, skip=False).probe()


LIMITED = (
    "FATAL GET https://mirror.example/v2/trivy-db/manifests/2: TOOMANYREQUESTS: retry-after: 1ms, allowed: 1/minute"
)


def test_a_download_that_was_refused_for_too_many_requests_is_tried_again(trivy: Made) -> None:
    count = f"echo x >> {trivy.directory}/tries; [ $(wc -l < {trivy.directory}/tries) -gt 2 ]"
    download = f"{count} || {{ echo '{LIMITED}' >&2; exit 1; }}"
    script = f"case \"$*\" in *--download-db-only*) {download};; *) echo '{VERSION}';; esac"
    assert trivy(script, skip=False, repository="mirror.example/trivy-db:2").probe().database == UPDATED
    assert trivy.warnings == []
    assert read_arguments(trivy.program).count("--download-db-only") == 3


def test_mirrors_of_the_database_are_asked_in_their_order(trivy: Made) -> None:
    refused = "*first.example*) echo 'FATAL DENIED: denied' >&2; exit 1;;"
    script = f"case \"$*\" in {refused} *--download-db-only*) exit 0;; *) echo '{VERSION}';; esac"
    repositories = "first.example/trivy-db:2, second.example/trivy-db:2, third.example/trivy-db:2"
    trivy(script, skip=False, repository=repositories).probe()
    named = [word for word in read_arguments(trivy.program) if word.endswith("/trivy-db:2")]
    assert named == ["first.example/trivy-db:2", "second.example/trivy-db:2"]
    assert trivy.warnings == []


def test_a_download_that_broke_off_leaves_the_last_good_database(trivy: Made) -> None:
    database = trivy.directory / "cache/db"
    database.mkdir(parents=True)
    (database / "trivy.db").write_bytes(b"facts")
    (database / "metadata.json").write_text("{}")
    says = f"[ -e {database}/metadata.json ] && echo '{VERSION}' || echo '{{\"Version\": \"0.69.3\"}}'"
    breaks = f"rm -f {database}/metadata.json; echo '{LIMITED}' >&2; exit 1"
    script = f'case "$*" in *--download-db-only*) {breaks};; *) {says};; esac'
    assert trivy(script, skip=False).probe().database == UPDATED
    assert "too many requests (429)" in trivy.warnings[0]


def test_a_server_has_the_database(trivy: Made) -> None:
    with HttpServer(lambda _: Reply(body=VERSION.encode())).serving() as server:
        scanner = trivy('echo \'{"Version": "0.70.0"}\'', server=f"http://{server.host}")
        assert scanner.probe() == Scanner("trivy", "0.70.0", UPDATED)
        assert server.seen == ["GET /version"]


def test_a_scan_by_a_server_names_it_and_its_token(trivy: Made) -> None:
    scanner = trivy(writes(report(result())), server="http://trivy.example:4954")
    scanner.scan(IMAGE, "linux/amd64", trivy.directory / "report.json", LONG_SECONDS)
    arguments = read_arguments(trivy.program)
    assert arguments[arguments.index("--server") + 1] == "http://trivy.example:4954"
    assert "--skip-db-update" not in arguments
    assert read_environment(trivy.program)["TRIVY_TOKEN"] == "server-token"  # noqa: S105 -- the test's own


def test_a_login_in_the_servers_url_is_not_shown(trivy: Made) -> None:
    with HttpServer(lambda _: Reply(404)).serving() as server:
        url = f"http://robot:hunter2@{server.host}"
        with pytest.raises(SetupError, match=r"answers 404 to http://\*\*\*@"):
            trivy(f"echo '{VERSION}'", server=url).probe()
    with pytest.raises(SetupError, match=rf"^the Trivy server cannot be asked: {server.host} takes no connection"):
        trivy(f"echo '{VERSION}'", server=url).probe()


def test_a_server_that_is_gone_or_none_cannot_start(trivy: Made) -> None:
    with HttpServer(lambda _: Reply(404)).serving() as server:
        host = server.host
        with pytest.raises(SetupError, match=rf"^the Trivy server answers 404 to http://{host}/version; is it one\?$"):
            trivy(f"echo '{VERSION}'", server=f"http://{host}").probe()
    with pytest.raises(SetupError, match=rf"^the Trivy server cannot be asked: {host} takes no connection"):
        trivy(f"echo '{VERSION}'", server=f"http://{host}").probe()


def test_the_cache_is_where_trivy_looks_for_it() -> None:
    assert find_trivy_cache({"HOME": "/home/me"}) == Path("/home/me/.cache/trivy")
    assert find_trivy_cache({"HOME": "/home/me", "XDG_CACHE_HOME": "/var/cache"}) == Path("/var/cache/trivy")
    assert find_trivy_cache({"TRIVY_CACHE_DIR": "/trivy", "XDG_CACHE_HOME": "/var/cache"}) == Path("/trivy")
