"""The smallest image that runs: busybox, which serves for the sandbox of every Pod too."""

import io
import tarfile
from pathlib import Path
from typing import Final

from tests.patch.debian_suites import run
from tests.patch.root_filesystem import RootFilesystem, write_layer

BUSYBOX: Final = "busybox:1"
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


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode = tarfile.DIRTYPE, mode
    tar.addfile(folder)
