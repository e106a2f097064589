"""Pods created through kube-apiserver by wrk (wrk/pods.lua): a client asks again as soon as it is answered."""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtest.servers import ServerError, find_program

_SCRIPT: Final = Path(__file__).parents[1] / "wrk/pods.lua"
_SLACK_SECONDS: Final = 60
_SHOWN_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Caller:
    """Who creates.

    Attributes:
        server: kube-apiserver's URL.
        token: of a user who may.
        pod: file of `write_pod`.
        images: file of `write_images`.
    """

    server: str
    token: str
    pod: Path
    images: Path

    def create(self, namespace: str, clients: int, seconds: int, *, is_dry: bool = True) -> "Creates":
        """Create Pods for so long. is_dry: everything but the write to etcd.

        Raises:
            ServerError: an answer was not 201, or a connection broke.
        """
        path = f"/api/v1/namespaces/{namespace}/pods{'?dryRun=All' if is_dry else ''}"
        words = [self.pod, self.images, secrets.token_hex(4), path, self.token]
        wrk = [
            find_program("wrk"),
            "-t1",
            f"-c{clients}",
            f"-d{seconds}s",
            f"--timeout={_SLACK_SECONDS}s",
            "-s",
            _SCRIPT,
        ]
        command = [str(word) for word in (*wrk, self.server, "--", *words)]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 2 * _SLACK_SECONDS
        )
        return read_creates(namespace, ended.stdout, ended.stderr)


@dataclass(frozen=True, slots=True)
class Creates:
    """What came of it: how many were created, how many a second, and how long one took in milliseconds."""

    count: int
    rate: float
    p50: float
    p99: float


def read_creates(namespace: str, out: str, errors: str = "") -> Creates:
    """Read what wrk printed.

    Raises:
        ServerError: it says that not every Pod was created, or nothing.
    """
    try:
        seen = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise ServerError(f"wrk created nothing in {namespace}: {(out + errors)[-_SHOWN_CHARACTERS:]}") from error
    if seen["refused"] or seen["broken"] or not seen["created"]:
        raise ServerError(f"not every Pod was created in {namespace}: {seen}")
    return Creates(seen["created"], seen["created"] / seen["seconds"], seen["p50"] / 1e3, seen["p99"] / 1e3)
