"""Writes what one Event says of a ConfigMap. Pure."""

from collections.abc import Sequence

from patchgate.limits import EVENT_MESSAGE_BYTES
from patchgate.policy.part import Problem


def write_message(problems: Sequence[Problem], where_else: str) -> str:
    """Write as many problems as there is room for, and where the rest is. where_else: such as `which the log lists`."""
    message = ""
    for number, problem in enumerate(problems):
        left = len(problems) - number
        more = f"; and {left} more, {where_else}"
        line = f"{problem.place}: {problem.reason}" if problem.place else problem.reason
        joined = f"{message}; {line}" if message else line
        if message and len(f"{joined}{more}".encode()) > EVENT_MESSAGE_BYTES:
            return message + more
        message = joined
    return message.encode()[:EVENT_MESSAGE_BYTES].decode(errors="ignore")
