"""Load by wrk on its own core: connections kept alive over TLS, reviews that are never the same (wrk/reviews.lua)."""

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtest.servers import Server, ServerError, choose_cores, find_program

CONNECTIONS: Final = 16
_SCRIPT: Final = Path(__file__).parent / "wrk/reviews.lua"
_SLACK_SECONDS: Final = 30
_INSTALL: Final = "apt-get update -qq && apt-get install -qq --no-install-recommends wrk"


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    Attributes:
        bodies: file of `write_reviews`.
        new_images: file of `write_new_images`.
        connections: how many, each with one request at a time.
        delay: milliseconds that a connection waits on average before its next request; 0 sends as fast as it goes.
    """

    bodies: Path
    new_images: Path
    connections: int = CONNECTIONS
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of wrk measured.

    Attributes:
        cpu: the server's CPU microseconds a review.
        rate: requests a second.
        p50: milliseconds.
        p99: milliseconds.
    """

    cpu: float
    rate: float
    p50: float
    p99: float


def run_wrk(server: Server, load: Load, seconds: int) -> Run:
    """Run wrk against a server.

    Raises:
        ServerError: an answer was not 200, a verdict in the sample was wrong, or a connection broke.
    """
    words = [server.expects, load.bodies, load.new_images, secrets.token_hex(4), random.randrange(1 << 30)]  # noqa: S311
    words += [load.delay, load.connections] if load.delay else []
    url = f"https://127.0.0.1:{server.port}{server.path}"
    wrk = [find_program("wrk"), "-t1", f"-c{load.connections}", f"-d{seconds}s", "-s", _SCRIPT, url, "--", *words]
    pinned = [find_program("taskset"), "-c", choose_cores()[1], *wrk]
    start = server.cpu_seconds
    ended = subprocess.run(
        [str(word) for word in pinned], capture_output=True, text=True, check=False, timeout=seconds + _SLACK_SECONDS
    )
    cpu = server.cpu_seconds - start
    try:
        seen = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise ServerError(
            f"wrk measured nothing of {server.name}: {ended.stdout[-500:]}{ended.stderr[-500:]}"
        ) from error
    if seen["not_ok"] or seen["wrong"] or seen["broken"] or not seen["read"]:
        raise ServerError(f"{server.name} does not answer as expected: {seen}")
    requests = seen["requests"]
    return Run(cpu / requests * 1e6, requests / seen["seconds"], seen["p50"] / 1e3, seen["p99"] / 1e3)


def get_wrk() -> None:
    """Install wrk where it is missing and can be had; else say how to get it, and exit."""
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        shell = ["/bin/sh", "-c", _INSTALL]
        subprocess.run(shell, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False, stdout=2)
    if not shutil.which("wrk"):
        sys.exit("`make load` needs wrk: as root on Debian or Ubuntu, apt-get install wrk")
