"""The program helm: what it is given, what it says. It keeps nothing outside of a test's own folder."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHART = Path(__file__).parents[2] / "charts" / "patchgate"
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Said:
    """What helm said: exit code, standard output, standard error."""

    code: int
    out: str
    errors: str


@dataclass(frozen=True, slots=True)
class Helm:
    """helm, with one user's kubeconfig where it asks a cluster. within: words before it that have it run elsewhere."""

    program: Path
    kubeconfig: Path | None = None
    within: Sequence[str] = ()

    def ask(self, *arguments: str, values: Mapping[str, object] | None = None) -> Said:
        """Run helm whatever comes of it. values: given as a file of values."""
        with tempfile.TemporaryDirectory(prefix="helm-") as home:
            chosen = []
            if values is not None:
                file = Path(home) / "values.json"  # YAML, as all JSON is
                file.write_text(json.dumps(values), encoding="utf-8")
                chosen = ["--values", str(file)]
            done = subprocess.run(
                [*self.within, self.program, *arguments, *chosen],
                env={"HOME": home, "KUBECONFIG": str(self.kubeconfig or "/nonexistent")},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        return Said(done.returncode, done.stdout, done.stderr)

    def do(self, *arguments: str, values: Mapping[str, object] | None = None) -> str:
        """Run helm, which must succeed; gives its standard output."""
        said = self.ask(*arguments, values=values)
        assert said.code == 0, f"helm {' '.join(arguments)}: {said.errors}"
        return said.out
