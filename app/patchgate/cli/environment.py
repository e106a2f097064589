"""Refuses settings that nobody reads: a misspelt environment variable would be a setting that silently is not one."""

import difflib
import re
from collections.abc import Mapping
from typing import Final

from patchgate.errors import SetupError

PREFIX: Final = "PATCHGATE_"
VARIABLES: Final = frozenset(
    PREFIX + name
    for name in (
        "CA_DAYS",
        "CLIENT",
        "CLOSE_V1",
        "DIRECTORY",
        "DRAIN_SECONDS",
        "FILENAME",
        "ISSUE_CERTIFICATES",
        "KUBERNETES",
        "LEAF_DAYS",
        "LISTEN",
        "NAMESPACE",
        "NOW",
        "ON_ERROR",
        "OPS_LISTEN",
        "OUTPUT",
        "RECORD_CONFIGMAPS",
        "SCOPE",
        "SELF_SIGNED",
        "SERVICE_NAME",
        "SOURCE",
        "SYSTEM_NAMESPACE",
        "TLS_CERT",
        "TLS_KEY",
        "TLS_SECRET",
        "WEBHOOKS",
        "WEBHOOK_CONFIGURATION",
        # of the repository's own tools, not of the program
        "CACHE",
    )
)
# What a cluster puts into every Pod beside a Service named patchgate (core/v1, enableServiceLinks).
_SERVICE_LINKS: Final = re.compile(r"PATCHGATE_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\d+_\w+)?)")


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Refuse variables with our prefix that no flag reads.

    Raises:
        SetupError: there is one; says which flag's variable is like it.
    """
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in VARIABLES or _SERVICE_LINKS.fullmatch(name):
            continue
        names = [variable.removeprefix(PREFIX) for variable in VARIABLES]  # what all have in common is no likeness
        alike = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
        hint = f"did you mean {PREFIX}{alike[0]}?" if alike else "--help names those that are"
        raise SetupError(f"the environment variable {name} is no setting; {hint}")
