"""An image with the Go of this machine's tests, which finds modules, and trusts their proxy, as this machine does."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.node.image_build import CERTIFICATES, Build, Builder
from tests.patch.debian_suites import run

_IMAGE: Final = "golang:tests"
_ROOT: Final = "golang-root:tests"
_DOCKERFILE: Final = """\
FROM {root}
COPY {certificates} /etc/ssl/certs/
COPY --from=go / /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOPATH=/go
"""


@dataclass(frozen=True, slots=True)
class GoImage:
    """The image.

    Attributes:
        image: REPOSITORY:TAG in the builder's registry.
        proxy: GOPROXY of this machine.
    """

    image: str
    proxy: str


def make_go(builder: Builder, go: Path) -> GoImage:
    """Make it in the builder's registry. go: the program."""
    builder.push_debian(_ROOT, ("ca-certificates",))
    context = builder.folder / "go-image"
    context.mkdir()
    shutil.copyfile(CERTIFICATES, context / CERTIFICATES.name)
    text = _DOCKERFILE.format(root=builder.name(_ROOT), certificates=CERTIFICATES.name)
    (context / "Dockerfile").write_text(text, encoding="utf-8")
    home, proxy = run(str(go), "env", "GOROOT", "GOPROXY").split()
    builder.build(_IMAGE, context, Build(contexts={"go": Path(home)}))
    return GoImage(_IMAGE, proxy)
