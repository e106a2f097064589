"""The Go peer: a controller-runtime webhook, built once, as the tools are."""

from pathlib import Path
from typing import Final

from tools.build import build, read_go_version
from tools.cache import find_cache
from tools.modules import Module

_PROGRAM: Final = "controller-runtime"
_WEBHOOK: Final = Module(
    Path(__file__).parent / "controller_runtime",
    upstream="sigs.k8s.io/controller-runtime",
    programs={_PROGRAM: "."},
)


def build_controller_runtime() -> Path:
    """Build the webhook; give its path.

    Raises:
        BuildError: it could not be built.
    """
    return build(_WEBHOOK, find_cache()) / _PROGRAM


def describe_build(program: Path) -> str:
    """Say what the webhook was built from and with."""
    return f"controller-runtime {_WEBHOOK.version.removeprefix('v')} (Go {read_go_version(program.parent)})"
