"""The images of a release, built from this repository's Dockerfile by the real BuildKit, under their own names."""

import shutil
from pathlib import Path
from typing import Final

from tests.node.image_build import PYTHON, Build, Builder

REPOSITORY: Final = Path(__file__).parents[2]
VERSION: Final = "0.1.0"
REVISION: Final = "a-revision"


def make_release_images(builder: Builder, trivy: Path, copa: Path) -> None:
    """Make patchgate/gate and patchgate/patcher in the builder's registry. trivy, copa: built from the same pins."""
    builder.make_python()
    tools = builder.folder / "tools"
    tools.mkdir()
    for program in (trivy, copa):
        shutil.copyfile(program, tools / program.name)
        (tools / program.name).chmod(0o755)
    arguments = {"PYTHON_IMAGE": builder.name(PYTHON), "VERSION": VERSION, "REVISION": REVISION}
    for target in ("gate", "patcher"):
        build = Build(target=target, arguments=arguments, contexts={"tools": tools})
        builder.build(f"patchgate/{target}:{VERSION}", REPOSITORY, build)
