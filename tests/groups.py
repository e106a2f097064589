"""The groups of tests: `unit` needs Python alone; the others need programs that a machine may not have.

A test that is left out passes for a person, never for CI, whatever left it out: conftest.py takes the hooks below.
"""

import os
from collections.abc import Generator
from typing import NoReturn

import pytest


def is_ci() -> bool:
    """Whether every test must run, whatever has to be built or installed for it."""
    return bool(os.environ.get("CI"))


def leave_out(why: str) -> NoReturn:
    """Leave a test out as this machine lacks something."""
    pytest.skip(why)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is skipped."""
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that is skipped."""
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if is_ci() and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"CI must run every test: {why}"
