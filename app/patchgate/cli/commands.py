"""The commands by name: a module is imported once its command is asked for, so that each pays for itself alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup

from patchgate.cli.plain_values import use_plain_values


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is, and what the list of commands says of it.

    Attributes:
        module: holds a function of the command's name, or `make_app` for a command that has commands of its own.
        summary: one line.
    """

    module: str
    summary: str


COMMANDS: Final = MappingProxyType(
    {
        "serve": Command("patchgate.cli.serve", "Answer admission reviews over TLS, until SIGTERM."),
        "check": Command("patchgate.cli.check", "Say whether images and manifests may run."),
        "patch": Command("patchgate.cli.patch", "Patch the listed images and record what is approved."),
        "report": Command("patchgate.cli.report", "Show the listed images, their state and the time left."),
        "explain": Command("patchgate.cli.explain", "Say why an image may run or not."),
        "discover": Command("patchgate.cli.discover", "Show what runs in a cluster, and what no list names."),
        "flux": Command("patchgate.cli.flux", "Print Flux's objects for the listed images."),
        "certs": Command("patchgate.cli.certs", "Issue, show and verify certificates in a directory."),
    }
)


class LazyGroup(TyperGroup):
    """The group of all commands. Its help lists them without importing any."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 -- as typer has them
        super().__init__(**settings)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment] # names, for suggestions

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 -- as typer has it
        """List them in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 -- typer's own class is not public
        """Import a command; None if there is none of the name."""
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: object, formatter: Any) -> None:  # noqa: ANN401, ARG002 -- as typer has it
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 -- as typer has it
        """Complete the name of a command, or of an option of the whole."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        item = typer.core.CompletionItem  # type: ignore[attr-defined] # as typer itself calls it
        commands = [item(name, help=COMMANDS[name].summary) for name in names]
        return commands or super().shell_complete(ctx, incomplete)


def load_command(name: str) -> Any:  # noqa: ANN401 -- typer's own class is not public
    """Import a command of COMMANDS."""
    module = import_module(COMMANDS[name].module)
    if hasattr(module, "make_app"):
        return make_command(module.make_app())
    function: Callable[..., None] = getattr(module, name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return make_command(app)


def make_command(app: typer.Typer) -> Any:  # noqa: ANN401 -- typer's own class is not public
    """Make the command of an app, whose plain values cost little to convert."""
    command = typer.main.get_command(app)
    for each in list_commands(command):
        use_plain_values(each)
    return command


def list_commands(command: Any) -> Iterator[Any]:  # noqa: ANN401 -- typer's own class is not public
    """List a command and those below it."""
    yield command
    if isinstance(command, TyperGroup) and not isinstance(command, LazyGroup):
        for each in command.commands.values():
            yield from list_commands(each)
