"""Copa with BuildKit as the patcher's fixer (`patcher.fixer.Fixer`).

Copa 0.14 exits 0 where it pushed nothing, and pushes an unpatched copy, stamped as patched, where a directory of
reports has nothing to fix: so it is never called without findings, and whoever calls it looks at what was pushed.
"""

import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from patchgate.errors import FixError, SetupError
from patchgate.limits import BUILDKIT_WAIT_SECONDS, COPA_SPARE_SECONDS, PROGRAM_PROBE_SECONDS
from patchgate.patcher.buildkit import BuildKitSettings, load_certificates, wait_for_buildkit
from patchgate.patcher.complaint import REGISTRY_MEANINGS, explain, meaning
from patchgate.patcher.finding import Report
from patchgate.patcher.oci.hosts import Hosts, find_repository
from patchgate.patcher.program import Finished, run_program
from patchgate.patcher.room import Rooms, find_program

OLDEST_VERSION: Final = (0, 14)
"""The first that writes patched images as this relies on (its report FILE and DIR, its exit codes)."""
KNOWN_OS: Final = frozenset(
    {
        *("alma", "alpine", "amazon", "azurelinux", "cbl-mariner", "centos", "debian", "opensuse-leap"),
        *("opensuse-tumbleweed", "oracle", "redhat", "rocky", "sles", "ubuntu"),
    }
)
"""Trivy's names of the OS families that Copa patches, in an index as well (copacetic v0.14.2, `isSupportedOsType`)."""
_VERSION: Final = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
_NOTHING_DONE: Final = re.compile(
    r"no package updates found|no updates found|already up-to-date|patch failed", re.IGNORECASE
)
_MEANINGS: Final = (
    meaning(
        r"failed to list workers|failed to dial|error reading from server: EOF|closing transport|code = Unavailable",
        "BuildKit is gone; look at its log, it may have had too little memory",
    ),
    meaning(r"patch exceeded timeout|deadline exceeded", "it took too long; give an image more time"),
    meaning(
        r"lower than required",
        "the image's package mirror does not have the fixed version yet; try again later, or mend its sources",
    ),
    meaning(
        r"emulation is not enabled for platform|exec format error",
        "a platform cannot run here: install QEMU (binfmt), or take it out of the policy's platforms",
    ),
    meaning(r"unsupported osType|could not infer DPKG status", "it cannot patch this OS"),
    meaning(r"Oracle image passed", "it cannot patch Oracle Linux by a report"),
    meaning(r"no tag found|could not parse reference", "it does not understand the image's name"),
    meaning(
        r"failed to stat /bin/busybox|/bin: no such file or directory",
        "the image has no /bin, where Copa puts its tools: it cannot patch it; build it anew on a newer base",
    ),
    meaning(
        r"panic: .{0,80}nil pointer",
        "it ended by a defect of its own, as for an index with an entry without a platform; give each entry one",
    ),
    *REGISTRY_MEANINGS,
)
_MEANINGS_OF_BUILDS: Final = (
    meaning(r"no space left on device", "there is no room left on a disk; give BuildKit's state more"),
    meaning(
        r"signal: killed|exit code: 137|received signal 9|died unexpectedly|cannot allocate memory|bad_alloc",
        "the build was killed; give BuildKit more memory",
    ),
    meaning(
        r"EXPKEYSIG|KEYEXPIRED",
        "the key of a package source in the image has expired: build the image on a newer base, or renew the key in it",
    ),
    meaning(r"NO_PUBKEY", "the image lacks the key of one of its package sources: add the key, or delete the source"),
    meaning(
        r"is not valid yet", "a package source is dated ahead of the clock of BuildKit's machine: set that clock right"
    ),
    meaning(
        r"Release file .{0,200}is expired",
        "a package source of the image was not renewed in time: its mirror is behind, or its release is at its end",
    ),
    meaning(
        r"(?:not|longer) have a Release file|longer has a Release file",
        "a package source of the image has no such release (any more): change the source in the image, or delete it",
    ),
    meaning(r"is not signed", "a package source of the image is not signed: sign it, or delete it from the image"),
    meaning(
        r"Held packages were changed|held packages? will be changed",
        "a package that has the fix is held in the image (apt-mark hold): release it there",
    ),
    meaning(
        r"TLS: (?:server certificate not trusted|unspecified error)|certificate verif(?:y|ication) failed|"
        r"SSL certificate problem",
        "the image does not trust its package mirror's certificate: add the mirror's CA to the image",
    ),
    meaning(
        r"404 {1,2}Not Found|HTTP 404|error: 404|APKINDEX.{0,200}No such file",
        "a package source of the image lacks what it should have (404): try again later, or change that source",
    ),
    meaning(
        r"temporary failure resolving|failed to fetch|unable to fetch|could not resolve|unable to connect to|"
        r"could not connect|temporary error \(try again later\)|network (?:error|connection aborted)",
        "the image's packages cannot be fetched: let BuildKit reach their mirror, or delete a source that is gone",
    ),
    meaning(r"unable to locate package|has no installation candidate", "its mirror lacks a package that Copa needs"),
)


@dataclass(frozen=True, slots=True)
class CopaSettings:
    """How Copa is run.

    Attributes:
        buildkit: where the patching is done.
        program: name or path.
        vex_directory: where a VEX file an image is kept; None to keep none.
    """

    buildkit: BuildKitSettings
    program: str = "copa"
    vex_directory: Path | None = None


class Copa:
    """One Copa; safe for threads."""

    def __init__(  # noqa: PLR0913 -- all that it touches, by name
        self,
        settings: CopaSettings,
        *,
        hosts: Hosts,
        directory: Path,
        rooms: Rooms,
        stop: threading.Event,
        secrets: Callable[[], Iterable[str]],
        warn: Callable[[str], None],
    ) -> None:
        """directory: for reports. secrets: never shown. warn: told what is odd and does not stop us."""
        self._settings = settings
        self._hosts = hosts
        self._directory = directory
        self._program = find_program(settings.program)
        self._vex = settings.vex_directory.absolute() if settings.vex_directory else None
        self._rooms = rooms
        self._stop = stop
        self._secrets = secrets
        self._warn = warn

    def probe(self) -> None:
        """Look whether it can work at all."""
        finished = self._run([self._program, "--version"], PROGRAM_PROBE_SECONDS)
        version = _VERSION.search(finished.output) if finished.succeeded else None
        if version is None:
            self._warn(f"{self._settings.program} does not say its version; 0.14 or later is needed")
        elif (int(version[1]), int(version[2])) < OLDEST_VERSION:
            raise SetupError(f"{self._settings.program} is version {version[0]}; 0.14 or later is needed")
        self._make_vex_directory()
        load_certificates(self._settings.buildkit)

    def wait_until_ready(self, limit_seconds: float) -> None:
        """Wait for BuildKit; as a sidecar it starts with us, and after a crash it starts again."""
        limit_seconds = min(limit_seconds, BUILDKIT_WAIT_SECONDS)
        try:
            wait_for_buildkit(self._settings.buildkit, self._stop, limit_seconds)
        except SetupError as error:
            raise FixError(str(error)) from error

    def can_patch(self, report: Report) -> bool:
        """Tell whether it knows the report's OS."""
        return report.os_family in KNOWN_OS

    def fix(self, image: str, reports: Sequence[Report], target: str, *, is_index: bool, limit_seconds: float) -> None:
        """Patch `REPO:TAG@DIGEST` by reports that have findings, and push the outcome as `REPO:TAG`."""
        if not reports or not all(report.findings for report in reports):
            raise FixError(f"there is nothing to patch in {image}, and Copa is not asked to")
        with tempfile.TemporaryDirectory(prefix="copa-", dir=self._directory) as directory:
            given = _gather(reports, Path(directory), is_index=is_index)
            finished = self._run(self._compose(image, given, target, limit_seconds), limit_seconds, [image, target])
        if not finished.succeeded:
            raise FixError(
                explain("Copa", finished, _MEANINGS, limit_seconds, self._secrets(), of_its_work=_MEANINGS_OF_BUILDS)
            )
        if _NOTHING_DONE.search(finished.errors):
            raise FixError("Copa found nothing to patch where Trivy found something; nothing it pushed may be used")

    def _make_vex_directory(self) -> None:
        vex = self._vex
        try:
            if vex:
                vex.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"the directory for VEX files, {vex}, cannot be made: {error.strerror}") from error

    def _compose(self, image: str, given: Path, target: str, limit_seconds: float) -> list[str]:
        vex = self._vex
        return [
            *(self._program, "patch", *self._settings.buildkit.flags, "--progress", "plain", "--push"),
            *("--timeout", f"{max(1.0, limit_seconds - COPA_SPARE_SECONDS):.0f}s"),
            *("-i", self._hosts.name_for_pull(image), "-r", str(given), "-t", target),
            *(("--output", str(vex / name_vex_file(target))) if vex else ()),
        ]

    def _run(self, command: list[str], limit_seconds: float, images: Sequence[str] = ()) -> Finished:
        """Run it, with the logins of images; BuildKit asks it for those of other registries too."""
        repositories = (
            [find_repository(self._hosts.name_for_pull(images[0])), find_repository(images[1])] if images else []
        )
        with self._rooms.open(repositories, with_helpers=bool(images)) as room:
            return run_program(
                command,
                environment=room.environment,
                directory=room.work,
                limit_seconds=limit_seconds,
                stop=self._stop,
            )


def name_vex_file(target: str) -> str:
    """Name the VEX file of an image: `registry.example.com_shop_api_1.0-candidate-20260509.vex.json`."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", target) + ".vex.json"


def _gather(reports: Sequence[Report], directory: Path, *, is_index: bool) -> Path:
    """Give Copa a report FILE of a manifest, a DIR of an index.

    The other way round it makes an index of a manifest, or loses an index's other platforms.
    """
    if not is_index:
        if len(reports) > 1:
            raise FixError("a manifest has one platform, and there are reports of several")
        return reports[0].file
    for number, report in enumerate(reports):
        shutil.copyfile(report.file, directory / f"{number}.json")
    return directory
