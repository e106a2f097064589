"""How Copa is run, and what becomes of one that fails: programs of the tests' own stand in its place."""

import json
import threading
from pathlib import Path

import pytest

from patchgate.errors import FixError, SetupError
from patchgate.patcher.buildkit import BuildKitSettings
from patchgate.patcher.copa import KNOWN_OS, Copa, CopaSettings, name_vex_file
from patchgate.patcher.finding import Report
from patchgate.patcher.oci.hosts import Hosts
from patchgate.policy.mirror import Mirrors, parse_mirror
from tests.patcher.buildkit_server import serve_buildkit
from tests.patcher.programs import (
    FINDING,
    PATH,
    make_report,
    make_rooms,
    read_arguments,
    read_environment,
    write_program,
)
from tests.world import digest

LONG_SECONDS = 60.0
PROXY = "http://proxy:3128"
IMAGE = f"registry.example.com/shop/api:1.0@{digest('api')}"
TARGET = "registry.example.com/shop/api:1.0-candidate-20260509"


class Made:
    """Makes a Copa of a script."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stop = threading.Event()
        self.warnings: list[str] = []

    def __call__(self, script: str, *, vex: Path | None = None, address: str = "unix:///run/b.sock") -> Copa:
        self.program = write_program(self.directory, "copa", script)
        mtls = [self.directory / name for name in ("ca.crt", "tls.crt", "tls.key")]
        settings = BuildKitSettings(address, *(mtls if address.startswith("tcp://") else ()))
        return Copa(
            CopaSettings(settings, self.program, vex),
            hosts=Hosts(mirrors=Mirrors.of([parse_mirror("docker.io = mirror.example")])),
            directory=self.directory,
            rooms=make_rooms(
                self.directory, {"PATH": PATH, "HOME": "/home/me", "COPA_EXPERIMENTAL": "1", "HTTPS_PROXY": PROXY}
            ),
            stop=self.stop,
            secrets=lambda: {"a-known-secret"},
            warn=self.warnings.append,
        )

    def report(self, platform: str = "linux/amd64") -> Report:
        file = self.directory / f"{platform.replace('/', '_')}.json"
        file.write_text(json.dumps({"of": platform}))
        return make_report(file, FINDING, platform=platform)

    def fix(self, script: str, limit_seconds: float = LONG_SECONDS) -> None:
        self(script).fix(IMAGE, [self.report()], TARGET, is_index=False, limit_seconds=limit_seconds)


@pytest.fixture
def copa(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_a_manifest_is_patched_by_the_file_of_its_report(copa: Made) -> None:
    copa.fix("exit 0")
    assert read_arguments(copa.program) == [
        *("patch", "--addr", "unix:///run/b.sock", "--progress", "plain", "--push", "--timeout", "50s"),
        *("-i", IMAGE, "-r", f"{copa.directory}/linux_amd64.json", "-t", TARGET),
    ]


def test_an_index_is_patched_by_a_directory_of_its_reports(copa: Made) -> None:
    script = 'while [ "$1" != -r ]; do shift; done; [ -d "$2" ] && cat "$2"/* > "$0.reports"'
    reports = [copa.report("linux/amd64"), copa.report("linux/arm64")]
    copa(script).fix(IMAGE, reports, TARGET, is_index=True, limit_seconds=LONG_SECONDS)
    assert Path(f"{copa.program}.reports").read_text() == '{"of": "linux/amd64"}{"of": "linux/arm64"}'
    assert not list(copa.directory.glob("copa-*"))


def test_an_index_with_one_report_gets_a_directory_too(copa: Made) -> None:
    script = 'while [ "$1" != -r ]; do shift; done; [ -d "$2" ] || exit 1'
    copa(script).fix(IMAGE, [copa.report()], TARGET, is_index=True, limit_seconds=LONG_SECONDS)


def test_mtls_is_copas_to_do(copa: Made) -> None:
    fixer = copa("exit 0", address="tcp://buildkit.example:1234")
    fixer.fix(IMAGE, [copa.report()], TARGET, is_index=False, limit_seconds=LONG_SECONDS)
    place = copa.directory
    assert read_arguments(copa.program)[1:9] == [
        *("--addr", "tcp://buildkit.example:1234", "--cacert", f"{place}/ca.crt"),
        *("--cert", f"{place}/tls.crt", "--key", f"{place}/tls.key"),
    ]


def test_copa_has_no_settings_but_ours(copa: Made) -> None:
    copa.fix("exit 0")
    environment = read_environment(copa.program)
    assert "COPA_EXPERIMENTAL" not in environment
    assert environment["HTTPS_PROXY"] == PROXY
    room = Path(environment["HOME"]).parent
    assert (room.parent, environment["HOME"]) == (copa.directory, f"{room}/home")
    assert (environment["DOCKER_CONFIG"], environment["TMPDIR"]) == (str(room / "docker"), str(room / "tmp"))
    assert not room.exists()


def test_a_vex_file_is_kept_where_one_is_asked_for(copa: Made) -> None:
    copa("exit 0", vex=copa.directory).fix(IMAGE, [copa.report()], TARGET, is_index=False, limit_seconds=LONG_SECONDS)
    assert read_arguments(copa.program)[-2:] == ["--output", str(copa.directory / name_vex_file(TARGET))]
    assert name_vex_file(TARGET) == "registry.example.com_shop_api_1.0-candidate-20260509.vex.json"


def test_the_directory_for_vex_files_is_made(copa: Made) -> None:
    with serve_buildkit() as address:
        copa("echo v0.14.2", vex=copa.directory / "kept/vex", address=address).probe()
    assert (copa.directory / "kept/vex").is_dir()


def test_a_directory_for_vex_files_that_cannot_be_stops_the_start(copa: Made) -> None:
    (copa.directory / "file").touch()
    with pytest.raises(
        SetupError, match=r"^the directory for VEX files, .*/file/vex, cannot be made: Not a directory$"
    ):
        copa("echo v0.14.2", vex=copa.directory / "file/vex").probe()


def test_an_image_of_a_mirrored_registry_is_read_from_there_and_pushed_where_it_is_told(copa: Made) -> None:
    copa("exit 0").fix(
        f"docker.io/library/nginx:1.25@{digest('api')}",
        [copa.report()],
        TARGET,
        is_index=False,
        limit_seconds=LONG_SECONDS,
    )
    arguments = read_arguments(copa.program)
    assert arguments[arguments.index("-i") + 1] == f"mirror.example/library/nginx:1.25@{digest('api')}"
    assert arguments[-1] == TARGET


@pytest.mark.parametrize("found", [(), (FINDING, None)])
def test_copa_is_never_called_without_findings(copa: Made, found: tuple[object, ...]) -> None:
    reports = [make_report(copa.directory / "r.json", *([FINDING] if each else [])) for each in found]
    with pytest.raises(FixError, match=f"^there is nothing to patch in {IMAGE}, and Copa is not asked to$"):
        copa("exit 0").fix(IMAGE, reports, TARGET, is_index=True, limit_seconds=LONG_SECONDS)
    assert not Path(f"{copa.program}.arguments").exists()


def test_a_manifest_with_several_reports_is_not_patched(copa: Made) -> None:
    with pytest.raises(FixError, match=r"a manifest has one platform"):
        copa("exit 0").fix(IMAGE, [copa.report()] * 2, TARGET, is_index=False, limit_seconds=LONG_SECONDS)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (
            'failed to list workers: Unavailable: connection error: desc = "transport',
            "BuildKit is gone; look at its log",
        ),
        ("unexpected status from HEAD request: 401 Unauthorized", "the registry refused its credentials (401)"),
        ("failed to push: denied: requested access to the resource is denied", "the registry refused it (403)"),
        ("downloaded package libexpat1 version 2.5.0-1 lower than required 2.5.0-2 for update", "try again later"),
        ("emulation is not enabled for platform linux/arm64", "install QEMU (binfmt)"),
        ("patch exceeded timeout 10s", "it took too long; give an image more time"),
        ("unsupported osType wolfi specified", "it cannot patch this OS"),
        ("write /tmp/x: no space left on device", "there is no room left on a disk"),
        (
            "failed to push: denied: adding 1.3 GiB of storage will exceed the configured upper limit of 10.0 GiB.",
            "no room left for it (quota): raise the quota, or delete images",
        ),
        (
            "unexpected status from PUT request: 400 Bad Request: TAG_INVALID: cannot be overwritten: it is immutable",
            "the registry lets no tag be changed (immutable tags)",
        ),
        (
            "failed to solve: failed to stat /bin/busybox: lstat /var/lib/buildkit/x/bin: no such file or directory",
            "the image has no /bin, where Copa puts its tools",
        ),
    ],
)
def test_what_copa_says_is_understood(copa: Made, said: str, says: str) -> None:
    with pytest.raises(FixError) as caught:
        copa.fix(f"cat >&2 <<'END'\nError: {said}\nEND\nexit 1")
    assert str(caught.value).startswith("Copa: ")
    assert says in str(caught.value)


BUILD = """\
level=warning msg="descriptor lookup failed: failed to connect to the docker API: denied 401"
#9 [amd64] Updating package database
#9 5.629 {said}
Error: failed to solve: process "/bin/sh -c apt-get update" did not complete successfully: exit code: 100
"""


GPG = "W: GPG error: http://archive.example.com/debian buster InRelease: The following signatures"


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("E: Failed to fetch http://deb.example/x  Temporary failure resolving", "let BuildKit reach their mirror"),
        ("E: Failed to fetch http://x/  Could not connect to x:80 (10.0.0.1). - connect (111)", "or delete a source"),
        ("E: Failed to fetch http://x/a.deb  404  Not Found [IP: 10.0.0.1 80]", "lacks what it should have (404)"),
        ("E: Unable to locate package busybox-static", "its mirror lacks a package that Copa needs"),
        ("E: Write error - write (28: No space left on device)", "give BuildKit's state more"),
        ("E: Sub-process store received signal 9.", "give BuildKit more memory"),
        (
            f"{GPG} were invalid: EXPKEYSIG 0E98404D386FA1D9 Debian Archive Key (10/buster)",
            "has expired: build the image",
        ),
        (
            f"{GPG} couldn't be verified because the public key is not available: NO_PUBKEY 605C66F00D6C9793",
            "add the key",
        ),
        ("E: The repository 'http://x bookworm Release' does not have a Release file.", "has no such release"),
        ("E: The repository 'http://x bookworm Release' no longer has a Release file.", "has no such release"),
        ("E: The repository 'http://x bookworm InRelease' is not signed.", "is not signed: sign it"),
        ("E: Release file for http://x/InRelease is not valid yet (invalid for another 3h).", "set that clock right"),
        ("E: Release file for http://x/InRelease is expired (invalid since 3d).", "was not renewed in time"),
        (
            "E: Held packages were changed and -y was used without --allow-change-held-packages.",
            "held in the image (apt-mark hold)",
        ),
        ("ERROR: https://x/main: TLS: server certificate not trusted", "add the mirror's CA to the image"),
        (
            "E: Failed to fetch https://x/  Certificate verification failed: The certificate is NOT trusted.",
            "mirror's CA",
        ),
        ("ERROR: https://x/main: temporary error (try again later)", "let BuildKit reach their mirror"),
        (
            "Reading package lists...",
            'failed (exit code 1) (it says: failed to solve: process "/bin/sh -c apt-get update"',
        ),
    ],
)
def test_a_build_that_failed_is_understood_by_what_it_said(copa: Made, said: str, says: str) -> None:
    with pytest.raises(FixError) as caught:
        copa.fix(f"cat >&2 <<'END'\n{BUILD.format(said=said)}END\nexit 1")
    assert says in str(caught.value)


def test_the_last_errors_of_a_build_are_quoted_and_not_their_wrapper(copa: Made) -> None:
    lines = "\n".join(
        f"#9 5.{number} E: The repository 'http://x/{number} Release' is not signed." for number in range(5)
    )
    with pytest.raises(FixError) as caught:
        copa.fix(f"cat >&2 <<'END'\n{BUILD.format(said=lines.removeprefix('#9 5.0 '))}END\nexit 1")
    quoted = "; ".join(f"E: The repository 'http://x/{number} Release' is not signed." for number in (2, 3, 4))
    assert str(caught.value) == (
        f"Copa: a package source of the image is not signed: sign it, or delete it from the image (it says: {quoted})"
    )


def test_a_defect_of_copa_is_quoted_without_its_stack(copa: Made) -> None:
    panic = "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV]\n\ngoroutine 1"
    with pytest.raises(FixError) as caught:
        copa.fix(f"cat >&2 <<'END'\n{panic} [running]:\nmain.main()\nEND\nexit 2")
    assert str(caught.value) == (
        "Copa: it ended by a defect of its own, as for an index with an entry without a platform; give each entry one"
        " (it says: runtime error: invalid memory address or nil pointer dereference)"
    )


def test_of_an_index_the_platforms_that_failed_are_told(copa: Made) -> None:
    script = """cat >&2 <<'END'
time="2026-05-09T06:00:00Z" level=warning msg="failed to connect to the docker API"
✓ linux/amd64      Patched      Successfully patched
✗ linux/arm64      Error        emulation is not enabled for platform linux/arm64

Error: one or more platform patches failed
END
exit 1"""
    with pytest.raises(FixError) as caught:
        copa.fix(script)
    assert str(caught.value) == (
        "Copa: a platform cannot run here: install QEMU (binfmt), or take it out of the policy's platforms"
        " (it says: linux/arm64 Error emulation is not enabled for platform linux/arm64)"
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 1", r"^Copa failed \(exit code 1\)$"),
        ("kill -KILL $$", r"^Copa was killed, by nobody here; give the patcher more memory$"),
        (
            "echo 'Error: a-known-secret leaked' >&2; exit 1",
            r"^Copa failed \(exit code 1\) \(it says: \*\*\* leaked\)$",
        ),
        (
            "echo 'panic: runtime error: nil pointer' >&2; exit 2",
            r"entry without a platform; .* \(it says: runtime error: nil pointer\)",
        ),
        ("echo 'Image is already up-to-date. No patch was applied.' >&2", "nothing it pushed may be used"),
        ("echo '✗ Patch Failed' >&2", "nothing it pushed may be used"),
    ],
)
def test_what_is_not_understood_is_quoted(copa: Made, script: str, says: str) -> None:
    with pytest.raises(FixError, match=says):
        copa.fix(script)


def test_a_patch_that_hangs_is_ended_with_what_it_started(copa: Made) -> None:
    with pytest.raises(FixError, match=r"^Copa took longer than 1 s; give an image more time$"):
        copa.fix("sleep 1000 & wait", 1)


def test_a_stopped_patcher_ends_a_patch(copa: Made) -> None:
    copa.stop.set()
    with pytest.raises(FixError, match=r"^stopped before Copa was done$"):
        copa.fix("exec sleep 1000")


@pytest.mark.parametrize(
    "script", ["echo copa version v0.14.2", "echo copa version 0.15.0", "echo copa version v1.0.0"]
)
def test_a_new_enough_copa_may_start(copa: Made, script: str) -> None:
    copa(script).probe()
    assert copa.warnings == []


@pytest.mark.parametrize("script", ["echo 'unknown flag: --version' >&2; exit 1", "echo copa version dev", "exit 0"])
def test_a_copa_without_a_version_is_warned_of(copa: Made, script: str) -> None:
    copa(script).probe()
    assert copa.warnings == [f"{copa.program} does not say its version; 0.14 or later is needed"]


@pytest.mark.parametrize("version", ["v0.13.9", "0.8.0"])
def test_an_old_copa_cannot_start(copa: Made, version: str) -> None:
    with pytest.raises(SetupError, match=rf"is version {version}; 0\.14 or later is needed$"):
        copa(f"echo copa version {version}").probe()


@pytest.mark.parametrize("address", ["nowhere", "tcp://buildkit.example", "tcp://buildkit.example:1234"])
def test_an_address_or_certificate_that_is_none_cannot_start(copa: Made, address: str) -> None:
    with pytest.raises(SetupError, match="BuildKit"):
        copa("echo copa version v0.14.2", address=address).probe()


def test_copa_is_ready_once_buildkit_answers(copa: Made) -> None:
    with serve_buildkit() as address:
        copa("exit 0", address=address).wait_until_ready(LONG_SECONDS)
    with pytest.raises(FixError, match=r"BuildKit does not answer at .* within 0\.1 s"):
        copa("exit 0", address=address).wait_until_ready(0.1)


def test_a_missing_copa_cannot_start(copa: Made) -> None:
    fixer = copa("exit 0")
    Path(copa.program).unlink()
    with pytest.raises(SetupError, match=r"^cannot start .*/copa: No such file"):
        fixer.probe()


@pytest.mark.parametrize(("os_family", "can"), [("debian", True), ("alpine", True), ("wolfi", False), ("", False)])
def test_an_os_is_known_or_not(copa: Made, os_family: str, *, can: bool) -> None:
    assert copa("exit 0").can_patch(make_report(copa.directory / "r.json", os_family=os_family)) is can
    assert (os_family in KNOWN_OS) is can
