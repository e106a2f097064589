"""`patchgate certs`: issues, shows and verifies certificates in a directory; asks no cluster."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from patchgate.cli.certificate_options import CaDays, LeafDays, make_lives
from patchgate.cli.options import Format, Output
from patchgate.cli.output import print_json, print_table
from patchgate.errors import CertificateError
from patchgate.limits import CA_DAYS, LEAF_DAYS
from patchgate.pki.contents import CA
from patchgate.pki.describe import describe
from patchgate.pki.directory import CLIENT, SERVER, find_fault, issue_into

_DIRECTORY = Path("certs")
_Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="DNS names and addresses.", show_default=False)]
_Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Files or directories; none is --directory.", show_default=False),
]
_Directory = Annotated[
    Path,
    typer.Option(
        "--directory", "-d", envvar="PATCHGATE_DIRECTORY", metavar="DIR", help="Where certificates and keys are."
    ),
]
_Client = Annotated[
    bool,
    typer.Option(
        "--client",
        envvar="PATCHGATE_CLIENT",
        help="A client's, client.crt and client.key, instead of a server's, tls.crt and tls.key.",
    ),
]


def make_app() -> typer.Typer:
    """Make the command with its subcommands."""
    app = typer.Typer(
        help="Issue, show and verify certificates in a directory.", add_completion=False, rich_markup_mode=None
    )
    app.command()(issue)
    app.command()(show)
    app.command()(verify)
    return app


def issue(
    names: _Names,
    directory: _Directory = _DIRECTORY,
    client: _Client = False,  # noqa: FBT002 -- a flag
    ca_days: CaDays = CA_DAYS,
    leaf_days: LeafDays = LEAF_DAYS,
) -> None:
    """Issue a leaf of the directory's CA, which is made where there is none. Exits 2 if it cannot."""
    role = CLIENT if client else SERVER
    written = issue_into(directory, names, role, datetime.now(UTC), make_lives(ca_days, leaf_days))
    for file in written:
        typer.echo(str(file))
    raise typer.Exit(0)


def show(files: _Files = None, directory: _Directory = _DIRECTORY, output: Output = Format.TABLE) -> None:
    """Show certificates. Exits 0, 1 if one is not valid now, 2 if one cannot be read."""
    listed = [] if files else _list_certificates(directory)
    for file in files or ():
        listed += _list_certificates(file) if file.is_dir() else [file]
    if not listed:
        named = ", ".join(map(str, files or [directory]))
        raise CertificateError(f"{named} holds no certificate; name another --directory, or a file")
    now = datetime.now(UTC)
    found = [each for file in listed for each in describe(file, now)]
    if output is Format.JSON:
        print_json({"certificates": found})
    else:
        columns = ["file", "subject", "names", "expires", "serial"]
        rows = [[_write_cell(each[column]) for column in columns] for each in found]
        print_table([column.upper() for column in columns], rows, ["" if each["valid"] else "red" for each in found])
    raise typer.Exit(0 if all(each["valid"] for each in found) else 1)


def verify(
    names: _Names,
    directory: _Directory = _DIRECTORY,
    client: _Client = False,  # noqa: FBT002 -- a flag
) -> None:
    """Verify a leaf: its key, its CA, its validity, its names. Exits 0, 1 if it is not good, 2 if it cannot be read."""
    role = CLIENT if client else SERVER
    fault = find_fault(directory, names, role, datetime.now(UTC))
    typer.echo(f"{directory}: {fault}" if fault else f"{directory / role.certificate}: good for {', '.join(names)}")
    raise typer.Exit(1 if fault else 0)


def _list_certificates(directory: Path) -> list[Path]:
    return [file for name in (CA, SERVER.certificate, CLIENT.certificate) if (file := directory / name).exists()]


def _write_cell(value: object) -> str:
    return ", ".join(value) or "-" if isinstance(value, list) else str(value)
