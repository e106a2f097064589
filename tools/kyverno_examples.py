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
FORMS: Final = {
    "validating-policy": ("validatingPolicy", "validatingpolicies.yaml"),
    "cluster-policy": ("clusterPolicy", "clusterpolicies.yaml"),
    "catalog": ("catalog", "catalog.yaml"),
    "configmaps": ("configMaps", "configmaps.yaml"),
}
"""Folder → `kyverno.form`, and the chart's template of it."""
FAILURE_POLICIES: Final = ("Fail", "Ignore")
_SOURCE: Final = re.compile(r"^# Source: .*\n", re.MULTILINE)
_LABELS: Final = re.compile(r"^  labels:\n(?:    .*\n)+", re.MULTILINE)


def write_policies(helm: Path, folder: str, failure_policy: str) -> str:
    """Write the policies of a folder, such as `catalog`, from the chart. helm: the program."""
    form, template = FORMS[folder]
    command = [
        str(helm),
        "template",
        "patchgate",
        str(_CHART),
        "--namespace",
        "copa-system",
        "--kube-version",
        "1.37.2",
    ]
    command += ["--show-only", f"templates/kyverno/{template}", "--set", f"kyverno.form={form}"]
    command += ["--set", f"kyverno.failurePolicy={failure_policy}"]
    with tempfile.TemporaryDirectory(prefix="helm-") as home:
        done = subprocess.run(command, env={"HOME": home}, capture_output=True, text=True, check=True)
    head = f"# helm template with kyverno.form={form}, kyverno.failurePolicy={failure_policy}: docs/kyverno.md\n"
    return head + _LABELS.sub("", _SOURCE.sub("", done.stdout)).removeprefix("---\n")


def main() -> int:
    """Write every example."""
    programs = find_programs(HELM, find_cache())
    if programs is None:
        print("helm is not built here; make tools does", file=sys.stderr)
        return 1
    for folder in FORMS:
        for failure_policy in FAILURE_POLICIES:
            file = EXAMPLES / folder / f"{failure_policy.lower()}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(write_policies(programs / "helm", folder, failure_policy), encoding="utf-8")
            print(f"Written: {file.relative_to(_ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
