"""A verdict in one word, and in which style it is printed."""

from patchgate.policy.verdict import Verdict


def say_verdict(verdict: Verdict) -> str:
    """Say it: `allowed`, `warned` or `denied`."""
    return ("warned" if verdict.warns else "allowed") if verdict.allowed else "denied"


def choose_style(verdict: Verdict) -> str:
    """Choose the style of its row."""
    return {"denied": "red", "warned": "yellow", "allowed": ""}[say_verdict(verdict)]
