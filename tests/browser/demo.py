"""The world of `make run`, with every time in it laid around a moment by the demo's own code."""

import importlib.util
from datetime import datetime
from pathlib import Path

_DEMO = Path(__file__).parents[2] / "examples" / "demo"


def write_demo(directory: Path, now: datetime) -> Path:
    """Write the demo's ConfigMaps. now: aware UTC."""
    spec = importlib.util.spec_from_file_location("demo_layout", _DEMO / "layout.py")
    assert spec
    assert spec.loader
    layout = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(layout)
    layout.lay_out(_DEMO / "configmaps", directory, now)
    return directory
