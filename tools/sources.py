"""Where the sources of a pinned program are: what it ships beside it, such as a chart or CRDs, is read there."""

import json
import os
from pathlib import Path

from tools.go import get_go, run
from tools.modules import Module


def find_sources(module: Module, cache: Path) -> Path:
    """Find the folder of the upstream's sources, read-only; fetched through the Go module proxy if need be.

    Raises:
        BuildError: they cannot be had.
    """
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off"}
    command = [str(get_go(cache)), "mod", "download", "-json", f"{module.upstream}@{module.version}"]
    return Path(json.loads(run(command, environment, cwd=module.folder))["Dir"])
