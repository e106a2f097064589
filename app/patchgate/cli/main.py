"""The command `patchgate`: joins the commands, and turns what goes wrong into one line and an exit code.

Exit codes: 0 all well; 1 the answer is no (an image denied, an SLA breached, not patched); 2 it could not be answered.
"""

import os
import sys
import traceback
from typing import Annotated, Final

import typer

from patchgate.cli.commands import COMMANDS, LazyGroup, make_command
from patchgate.cli.environment import refuse_unknown_variables
from patchgate.cli.plain_values import HELP_NAMES
from patchgate.errors import InputError, SetupError

_COULD_NOT_ANSWER: Final = 2


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 -- as typer calls it
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415 -- it imports a mail parser

        typer.echo(f"patchgate {version('patchgate')}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


def make_app() -> typer.Typer:
    """Make the command, with its subcommands as they are asked for."""
    app = typer.Typer(
        cls=LazyGroup,
        context_settings={"help_option_names": HELP_NAMES},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_describe)
    return app


def _describe(*, version: _Version = False) -> None:
    """Keep unpatched container images out of a cluster: the gate, what it would say, and the patcher."""


def run(arguments: list[str] | None = None) -> None:
    """Run the command and exit. arguments: those of the process where None; none at all ask for help."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        command = next((word for word in given[:1] if word in COMMANDS), None)
        refuse_unknown_variables(os.environ, command)
        code = make_command(make_app())(given or ["--help"], prog_name="patchgate", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        say = getattr(error, "format_message", error.__str__)
        asked = " ".join(["patchgate", *(word for word in given[:1] if word in COMMANDS)])
        code = _complain(f"{asked}: {say().rstrip('.')}; see {asked} --help")
    except (SetupError, InputError) as error:
        code = _complain(f"patchgate: {error}")
    except (BrokenPipeError, SystemExit):  # whoever read has enough; typer itself would exit 1 then, a verdict here
        sys.stdout = None  # as Python has it where it is closed: what is left unsaid must not be said at the exit
        code = _COULD_NOT_ANSWER
    except (OSError, UnicodeEncodeError) as error:
        sys.stdout = None  # nor tried once more at the exit
        code = _complain(f"patchgate: cannot write the answer: {error}")
    except Exception:  # noqa: BLE001 -- a defect of ours is no verdict: not 1
        traceback.print_exc()
        code = _complain("patchgate: a defect of patchgate, please report it with the lines above")
    sys.exit(code)


def _complain(line: str) -> int:
    print(" ".join(line.split()), file=sys.stderr)  # noqa: T201 -- the command line is where people are told
    return _COULD_NOT_ANSWER
