"""The images of a release, built from this repository's Dockerfile by the real BuildKit, under their own names."""

import shutil
from pathlib import Path
from typing import Final

from tests.node.image_build import PYTHON, Build, Builder

REPOSITORY: Final = Path(__file__).parents[2]
VERSION: Final = "0.1.0"
REVISION: Final = "a-revision"


def give_tools(folder: Path, trivy: Path, copa: Path) -> Path:
    """Make the folder that stands for the stage `tools` in a build for the machine that builds."""
    for program, name in ((trivy, "trivy"), (trivy, "native/trivy"), (copa, "copa")):
        given = folder / name
        given.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(program, given)
        given.chmod(0o755)
    return folder


def make_release_images(builder: Builder, trivy: Path, copa: Path) -> None:
    """Make patchgate/gate and patchgate/patcher in the builder's registry. trivy, copa: built from the same pins."""
    builder.make_python()
    tools = give_tools(builder.folder / "tools", trivy, copa)
    arguments = {"PYTHON_IMAGE": builder.name(PYTHON), "VERSION": VERSION, "REVISION": REVISION}
    for target in ("gate", "patcher"):
        build = Build(target=target, arguments=arguments, contexts={"tools": tools})
        builder.build(f"patchgate/{target}:{VERSION}", REPOSITORY, build)
