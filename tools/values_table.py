"""Writes docs/values.md from the chart's values.yaml: `python -m tools.values_table`. A test holds them together.

A value is described by the comment above it that begins with `# --`.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_ROOT: Final = Path(__file__).parent.parent
VALUES: Final = _ROOT / "charts" / "patchgate" / "values.yaml"
TABLE: Final = _ROOT / "docs" / "values.md"
_KEY: Final = re.compile(r"( *)([A-Za-z][A-Za-z0-9]*):")
_HEAD: Final = """# The chart's values

Written from [values.yaml](../charts/patchgate/values.yaml) by `python -m tools.values_table`. A key that is not here is
refused. [Installing](install.md) says which ones to think of first.

| value | default | what it is |
| --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that people set.

    Attributes:
        path: its keys, joined by dots.
        default: as values.yaml has it.
        description: empty where there is none.
    """

    path: str
    default: Any
    description: str


def list_values(text: str) -> Iterator[Value]:
    """List every described value of a values.yaml, and every leaf that is not described."""
    values, keys, comment = yaml.safe_load(text), list[str](), ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = stripped.removeprefix("# -- ")
        elif stripped.startswith("#"):
            comment = f"{comment} {stripped.removeprefix('#').strip()}" if comment else ""
        elif found := _KEY.match(line):
            keys = [*keys[: len(found[1]) // 2], found[2]]
            yield from _describe(values, keys, comment)
            comment = ""


def write_table(text: str) -> str:
    """Write the document from a values.yaml."""
    rows = (f"| `{each.path}` | `{json.dumps(each.default)}` | {each.description} |" for each in list_values(text))
    return _HEAD + "\n".join(rows) + "\n"


def _describe(value: Any, keys: list[str], comment: str) -> Iterator[Value]:  # noqa: ANN401 -- YAML is what it is
    for key in keys:
        if not isinstance(value, dict):
            return  # within a list, which is one value
        value = value[key]
    if comment or not (isinstance(value, dict) and value):
        yield Value(".".join(keys), value, comment)


def main() -> int:
    """Write the document."""
    TABLE.write_text(write_table(VALUES.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Written: {TABLE.relative_to(_ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
