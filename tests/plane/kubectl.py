"""kubectl, as people use it: what it is given, what it prints."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "kubectl"  # from requirements/dev.txt, whatever else the machine has
SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Said:
    """What kubectl said.

    Attributes:
        code: its exit code.
        out: standard output.
        errors: standard error, without warnings.
        warnings: the warnings that kube-apiserver sent.
    """

    code: int
    out: str
    errors: str
    warnings: tuple[str, ...]

    @property
    def is_admitted(self) -> bool:
        return self.code == 0

    @property
    def refusal(self) -> tuple[str, str]:
        """The reason and the message of a webhook's denial: what kubectl prints of one."""
        found = re.fullmatch(
            r"Error from server \((\w+)\): .*?admission webhook \"\S+\" denied the request: (.*)",
            self.errors,
            re.DOTALL,
        )
        assert found, f"no webhook's denial: {self.out}{self.errors}"
        return found[1], found[2]

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON is what it is
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with one user's kubeconfig, in one namespace. within: words before it that have it run elsewhere."""

    kubeconfig: Path
    namespace: str = "default"
    within: Sequence[str] = ()

    def inside(self, namespace: str) -> "Kubectl":
        return replace(self, namespace=namespace)

    def ask(self, *arguments: str, given: object = None) -> Said:
        """Run kubectl whatever comes of it. given: an object for its standard input."""
        done = subprocess.run(
            [*self.within, PROGRAM, "--namespace", self.namespace, *arguments],
            input=json.dumps(given) if given is not None else None,
            env={"KUBECONFIG": str(self.kubeconfig), "HOME": str(self.kubeconfig.parent)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        lines = done.stderr.splitlines()
        warnings = tuple(line.removeprefix("Warning: ") for line in lines if line.startswith("Warning: "))
        errors = "\n".join(line for line in lines if not line.startswith("Warning: "))
        return Said(done.returncode, done.stdout, errors, warnings)

    def do(self, *arguments: str, given: object = None) -> Said:
        """Run kubectl, which must succeed."""
        said = self.ask(*arguments, given=given)
        assert said.is_admitted, f"kubectl {' '.join(arguments)}: {said.errors}"
        return said

    def create(self, obj: Mapping[str, object], *flags: str) -> Said:
        return self.ask("create", "-f", "-", *flags, given=obj)

    def apply(self, obj: Mapping[str, object], *flags: str) -> Said:
        return self.ask("apply", "-f", "-", *flags, given=obj)

    def patch(self, what: str, change: object, *flags: str, kind: str = "strategic") -> Said:
        """Patch an object. what: KIND/NAME. kind: strategic, merge or json."""
        return self.ask("patch", what, "--type", kind, "--patch", json.dumps(change), *flags)

    def get(self, *what: str) -> Any:  # noqa: ANN401 -- JSON is what it is
        return self.do("get", *what, "-o", "json").json
