"""Refuses settings that nobody reads: a misspelt environment variable would be a setting that silently is not one."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from patchgate.cli.commands import COMMANDS, list_commands, load_command
from patchgate.errors import SetupError

PREFIX: Final = "PATCHGATE_"
OF_THE_TOOLS: Final = frozenset({"PATCHGATE_CACHE"})
"""Of the repository's own tools, not of the program."""
# What a cluster puts into every Pod beside a Service named patchgate (core/v1, enableServiceLinks).
_SERVICE_LINKS: Final = re.compile(r"PATCHGATE_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\d+_\w+)?)")


def refuse_unknown_variables(environment: Mapping[str, str], command: str | None) -> None:
    """Refuse variables with our prefix that no flag of any command reads.

    command: the one that runs: mostly it reads all of them, and no other need be imported.

    Raises:
        SetupError: there is one; names the flag's variable that is most like it.
    """
    asked = [name for name in sorted(environment) if name.startswith(PREFIX) and not _SERVICE_LINKS.fullmatch(name)]
    unknown = [name for name in asked if name not in OF_THE_TOOLS]
    if unknown and command:
        own = list_variables([command])
        unknown = [name for name in unknown if name not in own]
    if unknown:
        _refuse_unknown(unknown, list_variables(COMMANDS))


def list_variables(commands: Iterable[str]) -> frozenset[str]:
    """List the variables that the flags of these commands read."""
    loaded = (each for name in commands for each in list_commands(load_command(name)))
    return frozenset(name for each in loaded for option in each.params for name in _list_names(option.envvar))


def _list_names(variables: str | Sequence[str] | None) -> Sequence[str]:
    return [variables] if isinstance(variables, str) else variables or []


def _refuse_unknown(variables: Iterable[str], known: Collection[str]) -> None:
    for name in variables:
        if name in known:
            continue
        names = [variable.removeprefix(PREFIX) for variable in sorted(known)]  # what all have in common is no likeness
        import difflib  # noqa: PLC0415 -- only for the hint

        alike = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
        hint = f"did you mean {PREFIX}{alike[0]}?" if alike else "--help names those that are"
        raise SetupError(f"the environment variable {name} is no setting; {hint}")
