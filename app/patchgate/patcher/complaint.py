"""Understands what programs complain of: the last of their words, in a sentence that says what to do. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from patchgate.patcher.program import Ending, Finished
from patchgate.patcher.redact import quote_error

Meaning = tuple[re.Pattern[str], str]
"""What a program writes, and what it means for people."""


def meaning(pattern: str, means: str) -> Meaning:
    """Make a row of a table of meanings."""
    return re.compile(pattern, re.IGNORECASE), means


REGISTRY_MEANINGS: Final = (
    meaning(
        r"unauthorized|authentication required|\b401\b",
        "the registry refused its credentials (401); mend the docker config",
    ),
    meaning(
        r"\bdenied\b|insufficient_scope|\b403\b",
        "the registry refused it (403); give the credentials the right to do it",
    ),
    meaning(
        r"toomanyrequests|too many requests|\b429\b",
        "the registry got too many requests (429); log in, or ask less often",
    ),
    meaning(r"manifest[_ ]unknown|name[_ ]unknown|\b404\b", "the registry has no such image any more"),
    meaning(
        r"x509|certificate (signed|verify|has expired)", "a certificate is not trusted; name its CA by SSL_CERT_FILE"
    ),
    meaning(
        r"server gave HTTP response to HTTPS",
        "the registry does not speak TLS; name it with --plain-http if that is meant",
    ),
    meaning(r"no such host", "a host name is not known here"),
    meaning(r"no space left on device", "there is no room left on a disk; give TMPDIR or BuildKit's state more"),
    meaning(r"connection refused|connection reset|i/o timeout|network is unreachable", "a host cannot be reached"),
)
"""What Go programs write when a registry does not do as they wish."""


def explain(
    program: str, finished: Finished, meanings: Sequence[Meaning], limit_seconds: float, secrets: Iterable[str]
) -> str:
    """Explain in a line why a program did not do its work."""
    match finished.ending:
        case Ending.STOPPED:
            return f"stopped before {program} was done"
        case Ending.TIMED_OUT:
            return f"{program} took longer than {limit_seconds:.0f} s; give an image more time"
        case Ending.EXITED:
            words = quote_error(find_complaint(finished.errors), secrets)
            means = next((means for pattern, means in meanings if pattern.search(finished.errors)), "")
            what = f"{program}: {means}" if means else f"{program} failed (exit code {finished.exit_code})"
            return f"{what} (it says: {words})" if words else what


def find_complaint(errors: str) -> str:
    """Find what an error stream complains of: its last FATAL or Error to the end, or else its last line."""
    found = list(re.finditer(r"^(?:.*\bFATAL\b\s*|Error:\s*|panic: |.*level=error msg=)", errors, re.MULTILINE))
    if found:
        return errors[found[-1].end() :]
    lines = errors.strip().splitlines()
    return lines[-1] if lines else ""
