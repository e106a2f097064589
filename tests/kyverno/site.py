"""What a test needs to bring up a gate of its own beside Kyverno, and policies that ask it."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.chart.rendering import Chart
from tests.conftest import Gate, run_gate
from tests.kyverno.policies import Policies, enforce
from tests.plane.control_plane import Plane


@dataclass(frozen=True)
class Site:
    """A control plane with Kyverno in it.

    Attributes:
        plane: the control plane.
        chart: ours.
        pair: the arguments of a gate that Kyverno trusts.
        world: a directory with an image for every row.
    """

    plane: Plane
    chart: Chart
    pair: Sequence[str]
    world: Path

    def run_gate(self, source: Path) -> AbstractContextManager[Gate]:
        return run_gate(source, self.plane.credentials.ca, *self.pair)

    @contextlib.contextmanager
    def enforce(self, form: str, **values: object) -> Iterator[tuple[Policies, Gate]]:
        """Enforce a form's policies by a gate of their own, which a test may end."""
        with self.run_gate(self.world) as gate, enforce(self.plane, self.chart, form, name(gate), **values) as policies:
            yield policies, gate

    def move(self, policies: Policies, gate: Gate, to: Gate) -> None:
        """Have policies ask another gate."""
        for each in policies.objects:
            text = self.plane.kubectl.do("get", each["kind"], each["metadata"]["name"], "-o", "json").out
            changed = self.plane.folder / "moved.json"
            changed.write_text(text.replace(name(gate), name(to)), encoding="utf-8")
            self.plane.kubectl.do("replace", "-f", str(changed))


def name(gate: Gate) -> str:
    """Where a gate is asked."""
    return f"https://127.0.0.1:{gate.port}"
