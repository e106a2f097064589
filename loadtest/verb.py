"""What a verb does around its measurement: a folder that goes away, an end for what was started, an exit code."""

import argparse
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Final

from loadtest.figure import Figure
from loadtest.servers import ServerError
from tools.go import BuildError

_NOT_MEASURED: Final = (
    AssertionError,  # of wait_until, kubectl, and programs that do not start
    BuildError,
    HTTPException,
    KeyboardInterrupt,
    OSError,
    ServerError,
    ValueError,
    queue.Empty,  # of a gate that does not say where it listens
    subprocess.SubprocessError,
)


def measure_in_folder(verb: str, measure: Callable[[Path], Iterable[Figure]]) -> int:
    """Measure in a folder of its own; give the exit code: 1 where a bar is missed, 2 where it could not be measured.

    SIGTERM ends what was started, too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    try:
        with tempfile.TemporaryDirectory(prefix=f"patchgate-{verb}-") as folder:
            figures = list(measure(Path(folder)))
    except _NOT_MEASURED as error:
        print(f"make {verb}: {str(error) or repr(error)}", file=sys.stderr)
        return 2
    return 0 if all(figure.is_met for figure in figures) else 1


def read_quick(module: str, about: str | None, results: str) -> bool:
    """Read from the command line whether it is only tried out, so that the results file stays as it is."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--quick", action="store_true", help=f"few short rounds, to try it out; {results} stays")
    return bool(parser.parse_args().quick)
