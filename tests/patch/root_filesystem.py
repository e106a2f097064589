"""Root filesystems of Debian by mmdebstrap, as the layers of images; kept in the cache, as each takes a minute."""

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.patch.apt_updates import Upgrade
from tests.patch.debian_suites import Suites, run
from tools.cache import lock

ARCHITECTURE = "amd64"
PIN = "Package: usrmerge\\nPin: version *\\nPin-Priority: -1\\n"
MAKING = "making-"
NO_USRMERGE = "/etc/apt/preferences.d/no-usrmerge"
OPTIONS = (
    "--quiet",
    "--variant=apt",
    f"--architectures={ARCHITECTURE}",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    # usr is merged by the hook; the package that does it needs all of perl: 50 MB, 20 s a patch
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    f'--setup-hook=mkdir -p "$1/etc/apt/preferences.d"; printf "{PIN}" > "$1{NO_USRMERGE}"',
    f'--customize-hook=rm "$1{NO_USRMERGE}"',
)


@dataclass(frozen=True)
class RootFilesystem:
    """One that is made.

    Attributes:
        folder: holds layer.tar.gz, diff-id (digest of the tar), dpkg-status and os-release.
    """

    folder: Path

    @property
    def layer(self) -> Path:
        return self.folder / "layer.tar.gz"

    @cached_property
    def layer_digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.layer.read_bytes()).hexdigest()}"

    @property
    def diff_id(self) -> str:
        return (self.folder / "diff-id").read_text(encoding="utf-8")

    @property
    def dpkg_status(self) -> Path:
        return self.folder / "dpkg-status"


def make_root_filesystem(
    cache: Path, suites: Suites, packages: Sequence[str], updates: Sequence[Upgrade] = ()
) -> RootFilesystem:
    """Make one with the packages, or find it in the cache.

    updates: what today's updates would replace in one that has none; without it, it has none.
    """
    newer = [f"{update.package}={update.candidate}" for update in updates]
    made_of = json.dumps([suites.codename, OPTIONS, sorted(packages), newer])
    home = cache / "root-filesystems" / hashlib.sha256(made_of.encode()).hexdigest()[:16]
    with lock(home):
        if not (home / "whole").is_dir():
            _make(home, suites, packages, updated=bool(updates))
    return RootFilesystem(home / "whole")


def _make(home: Path, suites: Suites, packages: Sequence[str], *, updated: bool) -> None:
    for left in home.glob(f"{MAKING}*"):  # by a run that was killed: we hold the lock
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=MAKING, dir=home) as scratch:
        whole, tar, sources = (Path(scratch) / name for name in ("whole", "root.tar", "sources.list"))
        whole.mkdir()
        sources.write_text(suites.sources_list, encoding="utf-8")
        run(
            "mmdebstrap",
            *OPTIONS,
            f"--include={','.join(packages)}",
            f'--customize-hook=cp "{sources}" "$1/etc/apt/sources.list"',  # what a patch of the image will ask
            suites.codename,
            str(tar),
            *((suite.line for suite in (suites.first, *suites.updates)) if updated else [suites.first.line]),
        )
        _write_layer(tar, whole)
        whole.rename(home / "whole")


def _write_layer(tar: Path, folder: Path) -> None:
    digest = hashlib.sha256()
    with tar.open("rb") as source, gzip.GzipFile(folder / "layer.tar.gz", "wb", compresslevel=1, mtime=0) as packed:
        while block := source.read(1 << 20):
            digest.update(block)
            packed.write(block)
    (folder / "diff-id").write_text(f"sha256:{digest.hexdigest()}", encoding="utf-8")
    with tarfile.open(tar) as archive:
        for member, name in (("./var/lib/dpkg/status", "dpkg-status"), ("./usr/lib/os-release", "os-release")):
            content = archive.extractfile(member)
            assert content is not None
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(content, file)
