"""Writes examples/kyverno from the chart: `python -m tools.kyverno_examples`. A test holds them together.

A form's policies are there as both values of `kyverno.failurePolicy` make them, without what Helm adds for itself.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import HELM

_ROOT: Final = Path(__file__).parent.parent
_CHART: Final = _ROOT / "charts" / "patchgate"
EXAMPLES: Final = _ROOT / "examples" / "kyverno"
_FORMS: Final = {
    "validating-policy": ("validatingPolicy", "validatingpolicies.yaml"),
    "cluster-policy": ("clusterPolicy", "clusterpolicies.yaml"),
    "catalog": ("catalog", "catalog-policies.yaml"),
    "configmaps": ("configMaps", "configmaps-policies.yaml"),
}
"""Folder → `kyverno.form`, and the chart's template of it."""
FILES: Final = (
    *(f"{folder}/{failure_policy}.yaml" for folder in _FORMS for failure_policy in ("fail", "ignore")),
    "catalog/entry.yaml",
    "configmaps/entry.yaml",
)
"""What is written, below EXAMPLES: a form's policies under each failurePolicy; and the entry that they read, if any."""
_SOURCE: Final = re.compile(r"^# Source: .*\n", re.MULTILINE)
_LABELS: Final = re.compile(r"^  labels:\n(?:    .*\n)+", re.MULTILINE)


def write_example(helm: Path, name: str) -> str:
    """Write an example of FILES from the chart. helm: the program."""
    folder, _, file = name.removesuffix(".yaml").partition("/")
    form, template = _FORMS[folder]
    values = [f"kyverno.form={form}"]
    if file == "entry":
        template = f"{folder}-entry.yaml"
    else:
        values.append(f"kyverno.failurePolicy={file.title()}")
    command = [str(helm), "template", "patchgate", str(_CHART), "--namespace", "copa-system"]
    command += ["--kube-version", "1.37.2", "--show-only", f"templates/kyverno/{template}", "--set", ",".join(values)]
    with tempfile.TemporaryDirectory(prefix="helm-") as home:
        done = subprocess.run(command, env={"HOME": home}, capture_output=True, text=True, check=True)
    text = _LABELS.sub("", _SOURCE.sub("", done.stdout)).removeprefix("---\n")
    return f"# The chart's, with {', '.join(values)}: docs/kyverno.md\n{text}"


def main() -> int:
    """Write every example."""
    programs = find_programs(HELM, find_cache())
    if programs is None:
        print("helm is not built here; make tools does", file=sys.stderr)
        return 1
    for name in FILES:
        (EXAMPLES / name).parent.mkdir(parents=True, exist_ok=True)
        (EXAMPLES / name).write_text(write_example(programs / "helm", name), encoding="utf-8")
        print(f"Written: examples/kyverno/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
