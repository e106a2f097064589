"""Trivy as the patcher's scanner (`patcher.scanner.ImageScanner`).

One scan is one platform of one digest, read from the registry; a database is updated once, by `probe`, and never by a
scan, so that all images of a run are judged by the same one. Libraries are counted and not patched; archives of Java
are left out of the count where Trivy has no Java database, which it would download otherwise.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from patchgate.errors import RegistryError, ScanError, SetupError
from patchgate.limits import (
    DATABASE_UPDATE_SECONDS,
    PROGRAM_PROBE_SECONDS,
    REGISTRY_ANSWER_BYTES,
    REPORT_BYTES,
)
from patchgate.patcher.complaint import REGISTRY_MEANINGS, explain, meaning
from patchgate.patcher.finding import Report
from patchgate.patcher.oci.hosts import Hosts, find_repository
from patchgate.patcher.oci.retry import read_retry_after_seconds
from patchgate.patcher.oci.transport import Transport, is_success
from patchgate.patcher.program import Finished, run_program
from patchgate.patcher.redact import redact
from patchgate.patcher.room import Rooms, find_program
from patchgate.patcher.trivy_database import FIRST_PAUSE_SECONDS, DatabaseUpdate, keep_metadata
from patchgate.patcher.trivy_report import Asked, keep_os_packages, read_report
from patchgate.patcher.trivy_version import read_version
from patchgate.policy.record import Scanner

DATABASE_REPOSITORY: Final = "mirror.gcr.io/aquasec/trivy-db:2"
"""Trivy's own first place for its database (trivy 0.69, pkg/db)."""
_QUIET: Final = {"TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true"}
_NEVER_UPDATES: Final = ("--skip-db-update", "--skip-java-db-update", "--offline-scan")
_UNKNOWN_VERSION: Final = "This OS version is not on the EOL list"
"""Trivy's warning of a version that it may have no data of (Debian sid): it finds nothing then, and exits 0."""
_ARM: Final = "linux/arm/v7"
_ARM_WITHOUT_VARIANT: Final = "linux/arm"
_NO_SUCH_CHILD: Final = "no child with platform"
"""Of go-containerregistry (pkg/v1/remote/index.go), where an index has no entry of the platform as it is named."""
_JAVA_ARCHIVES: Final = ("**/*.jar", "**/*.war", "**/*.ear", "**/*.par")
_MEANINGS: Final = (
    meaning(r"cannot be specified on the first run", "it has no vulnerability database; let it download one"),
    meaning(r"DB schema", "its database is of another version than it is; update Trivy, or the database"),
    meaning(r"context deadline exceeded|provide a higher timeout", "it took too long; give an image more time"),
    *REGISTRY_MEANINGS,
)


@dataclass(frozen=True, slots=True)
class TrivySettings:
    """How Trivy is run.

    Attributes:
        program: name or path.
        cache: directory of its databases; None for its own default.
        server: URL of a Trivy server that finds the vulnerabilities; empty for none. TRIVY_TOKEN goes to it.
        db_repository: where its database is downloaded from, or several places with commas between, in the order to try
            them; empty for its own default.
        skip_db_update: whether the database is taken as it is.
        memory_limit: GOMEMLIMIT of each scan (`memory.choose_go_limit`); empty for none.
    """

    program: str = "trivy"
    cache: Path | None = None
    server: str = ""
    db_repository: str = ""
    skip_db_update: bool = False
    memory_limit: str = ""

    @property
    def db_repositories(self) -> list[str]:
        """The repositories of its database, in order; none for its own."""
        return [each for each in map(str.strip, self.db_repository.split(",")) if each]


class Trivy:
    """One Trivy; safe for threads."""

    def __init__(  # noqa: PLR0913 -- all that it touches, by name
        self,
        settings: TrivySettings,
        *,
        hosts: Hosts,
        transport: Transport,
        rooms: Rooms,
        environment: Mapping[str, str],
        stop: threading.Event,
        secrets: Callable[[], Iterable[str]],
        warn: Callable[[str], None],
        pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        """environment: ours. secrets: never shown. warn: told what is odd and does not stop us.

        pause_seconds: after the first download of the database that failed.
        """
        self._settings = settings
        self._program = find_program(settings.program)
        self._hosts = hosts
        self._transport = transport
        self._cache = (settings.cache or find_trivy_cache(environment)).absolute()
        token = environment.get("TRIVY_TOKEN", "") if settings.server else ""
        limit = {"GOMEMLIMIT": settings.memory_limit} if settings.memory_limit else {}
        self._own = _QUIET | limit | ({"TRIVY_TOKEN": token} if token else {})
        self._rooms = rooms
        self._stop = stop
        self._token = token
        self._secrets = secrets
        self._warn = warn
        self._pause_seconds = pause_seconds

    def probe(self) -> Scanner:
        """Say who scans, and how old its database is; update that once, where it is ours and may be updated."""
        scanner = self._ask_version()
        if self._settings.server:
            scanner = Scanner(scanner.name, scanner.version, self._ask_server().database)
        elif not self._settings.skip_db_update:
            self._update(has_database=scanner.database is not None)
            scanner = self._ask_version()
        if scanner.database is None:
            place = redact(self._settings.server) or self._cache
            raise SetupError(f"Trivy has no vulnerability database in {place}; let it download one, or put one there")
        return scanner

    def scan(self, image: str, platform: str, file: Path, limit_seconds: float) -> Report:
        """Scan one platform of `REPO:TAG@DIGEST`; the report is written to the file, and checked."""
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        counts_libraries = True
        finished = self._scan(image, platform, file, limit_seconds, "os,library")
        named = platform
        if platform == _ARM and _NO_SUCH_CHILD in finished.errors:  # an index may leave this variant out
            named = _ARM_WITHOUT_VARIANT
            finished = self._scan(image, named, file, limit_seconds, "os,library")
        if not finished.succeeded and "Java DB" in finished.errors:  # an archive by a name that we do not leave out
            counts_libraries = False
            finished = self._scan(image, named, file, limit_seconds, "os")
        if not finished.succeeded:
            raise ScanError(explain("Trivy", finished, _MEANINGS, limit_seconds, self._list_secrets()))
        text = _read_limited(file)
        report = read_report(text, Asked(image.rpartition("@")[2], platform, counts_libraries), file)
        if _UNKNOWN_VERSION in finished.errors and not report.findings:
            version = f"{report.os_family} {report.os_version}".rstrip()
            raise ScanError(
                f"Trivy does not know {version}, and its finding nothing means nothing: update it, or the image"
            )
        file.write_bytes(keep_os_packages(text))
        return report

    def _scan(self, image: str, platform: str, file: Path, limit_seconds: float, kinds: str) -> Finished:
        pulled = self._hosts.name_for_pull(image)
        command = [
            *(self._program, "image", "--no-progress", "--cache-dir", str(self._cache)),
            *("--image-src", "remote", "--platform", platform, "--scanners", "vuln"),
            *("--pkg-types", kinds, "--ignore-unfixed", "--list-all-pkgs", "--format", "json", "--output", str(file)),
            *("--timeout", f"{limit_seconds:.0f}s", *self._list_source_flags(), *_list_left_out(self._cache)),
            pulled,
        ]
        # Trivy knows no plain HTTP a host, only for all that one scan asks; loopback it takes without.
        plain = {"TRIVY_INSECURE": "true"} if self._hosts.is_plain(pulled.partition("/")[0]) else {}
        return self._run(command, limit_seconds, [find_repository(pulled)], plain)

    def _list_source_flags(self) -> list[str]:
        if self._settings.server:
            return ["--offline-scan", "--skip-java-db-update", "--server", self._settings.server]
        return ["--cache-backend", "memory", *_NEVER_UPDATES]  # the file's lock would fail a scan beside another

    def _ask_version(self) -> Scanner:
        command = [self._program, "--version", "--format", "json", "--cache-dir", str(self._cache)]
        finished = self._run(command, PROGRAM_PROBE_SECONDS)
        if not finished.succeeded:
            raise SetupError(explain("Trivy", finished, (), PROGRAM_PROBE_SECONDS, self._list_secrets()))
        return read_version(finished.output, self._settings.program)

    def _ask_server(self) -> Scanner:
        url = self._settings.server.rstrip("/") + "/version"
        try:
            answer = self._transport.exchange("GET", url, {}, None, REGISTRY_ANSWER_BYTES)
        except RegistryError as error:
            raise SetupError(f"the Trivy server cannot be asked: {error}") from error
        if not is_success(answer):
            raise SetupError(f"the Trivy server answers {answer.status} to {redact(url)}; is it one?")
        return read_version(answer.body, f"the Trivy server {redact(self._settings.server)}")

    def _update(self, *, has_database: bool) -> None:
        """Update the database; where that fails an older one still serves, until it is too old for the policy."""
        update = DatabaseUpdate(self._download, self._ask_pause, self._stop, first_pause_seconds=self._pause_seconds)
        with keep_metadata(self._cache):
            finished = update.run(self._settings.db_repositories)
        if finished.succeeded:
            return
        why = explain("Trivy", finished, _MEANINGS, DATABASE_UPDATE_SECONDS, self._list_secrets())
        if not has_database:
            raise SetupError(f"no vulnerability database could be downloaded: {why}")
        self._warn(f"the vulnerability database could not be updated, the one there is is used: {why}")

    def _download(self, repository: str, limit_seconds: float) -> Finished:
        place = ("--db-repository", repository) if repository else ()
        command = [self._program, "image", "--download-db-only", "--no-progress", *place]
        needed = [find_repository(repository)] if repository else []
        return self._run([*command, "--cache-dir", str(self._cache)], limit_seconds, needed)

    def _ask_pause(self, repository: str) -> float | None:
        """Ask a registry how long it wants to be left alone (its answer to what everybody may ask, `/v2/`)."""
        host = find_repository(repository or DATABASE_REPOSITORY).partition("/")[0]
        try:
            answer = self._transport.exchange(
                "GET", self._hosts.make_url(host, "/v2/"), {}, None, REGISTRY_ANSWER_BYTES
            )
        except RegistryError:
            return None
        return read_retry_after_seconds(answer) if answer.status == HTTPStatus.TOO_MANY_REQUESTS else None

    def _list_secrets(self) -> set[str]:
        return {self._token, *self._secrets()}

    def _run(
        self,
        command: list[str],
        limit_seconds: float,
        repositories: Sequence[str] = (),
        own: Mapping[str, str] | None = None,
    ) -> Finished:
        with self._rooms.open(repositories, own={**self._own, **(own or {})}) as room:
            return run_program(
                command,
                environment=room.environment,
                directory=room.work,
                limit_seconds=limit_seconds,
                stop=self._stop,
            )


def find_trivy_cache(environment: Mapping[str, str]) -> Path:
    """Find the directory that Trivy takes by itself (Go, `os.UserCacheDir`)."""
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/")) / ".cache"
    return Path(environment.get("TRIVY_CACHE_DIR") or Path(cache) / "trivy")


def _list_left_out(cache: Path) -> list[str]:
    if (cache / "java-db" / "metadata.json").exists():
        return []
    return [word for pattern in _JAVA_ARCHIVES for word in ("--skip-files", pattern)]


def _read_limited(file: Path) -> bytes:
    if file.stat().st_size > REPORT_BYTES:
        raise ScanError(f"Trivy's report has more than {REPORT_BYTES} bytes")
    return file.read_bytes()
