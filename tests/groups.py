"""The groups of tests: `unit` needs Python alone; the others need programs that a machine may not have."""

import os
from typing import NoReturn

import pytest


def is_ci() -> bool:
    """Whether every test must run, whatever has to be built or installed for it."""
    return bool(os.environ.get("CI"))


def leave_out(why: str) -> NoReturn:
    """Leave a test out as this machine lacks something; where CI is set every test must run, so it fails there."""
    if is_ci():
        pytest.fail(f"CI must run every test: {why}", pytrace=False)
    pytest.skip(why)
