"""Refuses settings that nobody reads: a misspelt environment variable would be a setting that silently is not one."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, cast

import typer
from typer.core import TyperGroup

from patchgate.errors import SetupError

PREFIX: Final = "PATCHGATE_"
OF_THE_TOOLS: Final = frozenset({"PATCHGATE_CACHE"})
"""Of the repository's own tools, not of the program."""
# What a cluster puts into every Pod beside a Service named patchgate (core/v1, enableServiceLinks).
_SERVICE_LINKS: Final = re.compile(r"PATCHGATE_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT(?:_\d+_\w+)?)")


def list_variables(app: typer.Typer) -> frozenset[str]:
    """List the variables that count: those that the flags of any command read."""
    return OF_THE_TOOLS | frozenset(_list_read(cast("TyperGroup", typer.main.get_command(app))))


def _list_read(group: TyperGroup) -> Iterator[str]:
    for command in group.commands.values():
        for parameter in command.params:
            yield from _list_names(parameter.envvar)
        if isinstance(command, TyperGroup):
            yield from _list_read(command)


def _list_names(variables: str | Sequence[str] | None) -> Sequence[str]:
    return [variables] if isinstance(variables, str) else variables or []


def refuse_unknown_variables(environment: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse variables with our prefix that no flag reads.

    known: the variables that count.

    Raises:
        SetupError: there is one; says which flag's variable is like it.
    """
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or _SERVICE_LINKS.fullmatch(name):
            continue
        names = [variable.removeprefix(PREFIX) for variable in sorted(known)]  # what all have in common is no likeness
        alike = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
        hint = f"did you mean {PREFIX}{alike[0]}?" if alike else "--help names those that are"
        raise SetupError(f"the environment variable {name} is no setting; {hint}")
