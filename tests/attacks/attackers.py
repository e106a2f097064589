"""Starts an attack as a program of its own, so that the honest caller of the test is not kept waiting by it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from tests.die_with_parent import die_with_parent


class Attack:
    """An attack that is under way."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def count_answers(self) -> dict[str, int]:
        """Wait for its end, and count the answers that it got by what kube-apiserver would make of them."""
        assert self._process.stdout
        return cast("dict[str, int]", json.loads(self._process.stdout.read()))


@contextmanager
def start_attack(module: str, *words: object) -> Iterator[Attack]:
    command = [*die_with_parent(), sys.executable, "-m", f"tests.attacks.{module}", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        yield Attack(process)
        process.kill()
