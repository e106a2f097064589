"""The smallest image that runs: busybox, which serves for the sandbox of every Pod too."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.node import addresses
from tests.patch.debian_suites import run
from tests.patch.oci_layout import write_layout
from tests.patch.root_filesystem import RootFilesystem, write_layer

BUSYBOX: Final = f"{addresses.REGISTRY}/busybox:1"
_BUSYBOX: Final = Path("/bin/busybox")  # linked statically, as Debian's busybox-static is
_USERS: Final = b"root:x:0:0::/:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n"


def make_busybox(folder: Path) -> RootFilesystem:
    """Make a root filesystem of busybox alone in a folder."""
    folder.mkdir()
    names = run(str(_BUSYBOX), "--list").split()
    with tarfile.open(folder / "root.tar", "w") as tar:
        _add_folder(tar, "bin", 0o755)
        tar.add(_BUSYBOX, "bin/busybox")
        for name in sorted(set(names) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        _add_folder(tar, "tmp", 0o1777)
        _add_folder(tar, "etc", 0o755)
        users = tarfile.TarInfo("etc/passwd")
        users.size = len(_USERS)
        tar.addfile(users, io.BytesIO(_USERS))
    write_layer(folder / "root.tar", folder)
    return RootFilesystem(folder)


def push_root(
    root: RootFilesystem, image: str, layout: Path, settings: Mapping[str, object], within: Sequence[str]
) -> None:
    """Push an image of one layer. layout: a folder to make for it. settings: of its `config`, such as Cmd."""
    push(f"oci:{write_layout(layout, root, settings=settings)}:latest", image, within)


def push(source: str, image: str, within: Sequence[str]) -> None:
    """Push an image that skopeo can read. source: as skopeo names it, such as oci-archive:FILE."""
    flags = ("--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false")
    run(*within, "skopeo", *flags, source, f"docker://{image}")


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode = tarfile.DIRTYPE, mode
    tar.addfile(folder)
