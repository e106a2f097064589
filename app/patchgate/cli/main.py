"""The command `patchgate`: joins the commands, and turns what goes wrong into one line and an exit code.

Exit codes: 0 all well; 1 the answer is no (an image denied, an SLA breached, not patched); 2 it could not be answered.
"""

import os
import sys
import traceback
from typing import Final

import typer

from patchgate.cli.certs import make_certs
from patchgate.cli.check import check
from patchgate.cli.discover import discover
from patchgate.cli.environment import list_variables, refuse_unknown_variables
from patchgate.cli.explain import explain
from patchgate.cli.flux import flux
from patchgate.cli.patch import patch
from patchgate.cli.report import report
from patchgate.cli.serve import serve
from patchgate.errors import InputError, SetupError

_COULD_NOT_ANSWER: Final = 2
_COMMANDS: Final = ("serve", "check", "patch", "report", "explain", "discover", "flux", "certs")


def make_app() -> typer.Typer:
    """Make the command with its subcommands."""
    app = typer.Typer(
        help="Keep unpatched container images out of a cluster: the gate, what it would say, and the patcher.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command()(serve)
    app.command()(check)
    app.command()(patch)
    app.command()(report)
    app.command()(explain)
    app.command()(discover)
    app.command()(flux)
    app.add_typer(make_certs(), name="certs")
    return app


def run(arguments: list[str] | None = None) -> None:
    """Run the command and exit. arguments: those of the process where None; none at all ask for help."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app = make_app()
        refuse_unknown_variables(os.environ, list_variables(app))
        code = app(given or ["--help"], prog_name="patchgate", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        say = getattr(error, "format_message", error.__str__)
        command = " ".join(["patchgate", *(word for word in given[:1] if word in _COMMANDS)])
        code = _complain(f"{command}: {say().rstrip('.')}; see {command} --help")
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
