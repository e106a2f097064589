"""Understands what programs complain of: the last of their words, in a sentence that says what to do. Pure."""

import re
import signal
from collections.abc import Iterable, Sequence
from typing import Final

from patchgate.patcher.oci.refusal import IMMUTABLE, QUOTA
from patchgate.patcher.program import Ending, Finished
from patchgate.patcher.redact import quote_error

_BEGINS: Final = re.compile(r"^(?:.*\bFATAL\b\s*|Error:\s*|panic: |✗ )", re.MULTILINE)
_PANIC: Final = "panic: "
"""What begins the last words of a Go program that has a defect; the rest of them is its stack."""
_CROSSED_OUT: Final = re.compile(r"^✗ +(.*\S)", re.MULTILINE)

_OF_A_BUILD: Final = re.compile(
    r"^(?:#\d+ )?\d+\.\d+ +((?:E: |ERROR: |Error: |error: |W: GPG error: ).*\S)", re.MULTILINE
)
"""An error that a package manager wrote in a build (BuildKit, `--progress plain`): `#9 5.629 E: …`."""
_BUILD_LINES: Final = 3
"""Errors of a build that are quoted, the last ones: what went wrong first is said again at the end."""

Meaning = tuple[re.Pattern[str], str]
"""What a program writes, and what it means for people."""


def meaning(pattern: str, means: str) -> Meaning:
    """Make a row of a table of meanings."""
    return re.compile(pattern, re.IGNORECASE), means


REGISTRY_MEANINGS: Final = (
    QUOTA,
    IMMUTABLE,
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
    meaning(
        r"\b50[0234] (internal server error|bad gateway|service unavailable|gateway timeout)|status code 50[0234]\b",
        "the registry fails (5xx); look at its log",
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


def explain(  # noqa: PLR0913 -- one call says it all
    program: str,
    finished: Finished,
    meanings: Sequence[Meaning],
    limit_seconds: float,
    secrets: Iterable[str],
    *,
    of_its_work: Sequence[Meaning] = (),
) -> str:
    """Explain in a line why a program did not do its work.

    meanings: of what it complains of. of_its_work: of what it may have said long before; looked for where its complaint
    alone says nothing.
    """
    match finished.ending:
        case Ending.STOPPED:
            return f"stopped before {program} was done"
        case Ending.TIMED_OUT:
            return f"{program} took longer than {limit_seconds:.0f} s; give an image more time"
        case Ending.EXITED if finished.exit_code == -signal.SIGKILL:
            return f"{program} was killed, by nobody here; give the patcher more memory"
        case Ending.EXITED:
            complaint = find_complaint(finished.errors)
            of_a_build = find_build_errors(finished.errors) if of_its_work else []
            means = (
                _find_meaning("\n".join(of_a_build), of_its_work)
                or _find_meaning(complaint, meanings)
                or _find_meaning(finished.errors, of_its_work)
            )
            words = quote_error("; ".join(of_a_build[-_BUILD_LINES:]) or choose_words(complaint), secrets)
            what = f"{program}: {means}" if means else f"{program} failed (exit code {finished.exit_code})"
            return f"{what} (it says: {words})" if words else what


def find_complaint(errors: str) -> str:
    """Find what an error stream complains of: from its first FATAL, Error or crossed-out row on, or its last line.

    Before that stand warnings that mean nothing: Copa's of a Docker that nobody has.
    """
    found = _BEGINS.search(errors)
    return errors[found.start() :] if found else errors.strip().rpartition("\n")[2]


def choose_words(complaint: str) -> str:
    """Choose what of a complaint to quote: the rows that are crossed out, or else the last error to its end."""
    rows = _CROSSED_OUT.findall(complaint)
    if rows:
        return "; ".join(rows)
    begins = list(_BEGINS.finditer(complaint))
    last = complaint[begins[-1].end() :] if begins else complaint
    return last.partition("\n")[0] if begins and begins[-1][0] == _PANIC else last


def find_build_errors(errors: str) -> list[str]:
    """Find what a package manager complained of in a build, each once, in order."""
    return list(dict.fromkeys(_OF_A_BUILD.findall(errors)))


def _find_meaning(text: str, meanings: Sequence[Meaning]) -> str:
    return next((means for pattern, means in meanings if pattern.search(text)), "")
