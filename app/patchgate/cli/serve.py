"""`patchgate serve`: the gate."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from patchgate.cli.options import Source
from patchgate.errors import SetupError
from patchgate.gate.compose import run_gate
from patchgate.gate.settings import GateSettings, SelfSigned, TlsFiles
from patchgate.policy.decision import Scope

_Listen = Annotated[
    str, typer.Option("--listen", envvar="PATCHGATE_LISTEN", metavar="HOST:PORT", help="Where reviews come in.")
]
_Certificate = Annotated[
    Path | None, typer.Option("--tls-cert", envvar="PATCHGATE_TLS_CERT", metavar="FILE", help="Certificate chain, PEM.")
]
_Key = Annotated[
    Path | None, typer.Option("--tls-key", envvar="PATCHGATE_TLS_KEY", metavar="FILE", help="Its key, PEM.")
]
_SelfSignedDirectory = Annotated[
    Path | None,
    typer.Option(
        "--self-signed",
        envvar="PATCHGATE_SELF_SIGNED",
        metavar="DIR",
        help="Instead: make ca.crt, tls.crt and tls.key in DIR at the first start, and keep them.",
    ),
]
_Scope = Annotated[
    Scope,
    typer.Option(
        "--scope",
        envvar="PATCHGATE_SCOPE",
        help="all; rollouts: what built-in controllers make only warns; pods: templates only warn.",
    ),
]


def serve(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source,
    listen: _Listen = "127.0.0.1:8443",
    tls_cert: _Certificate = None,
    tls_key: _Key = None,
    self_signed: _SelfSignedDirectory = None,
    scope: _Scope = Scope.ALL,
) -> None:
    """Answer admission reviews over TLS, until SIGTERM. Exits 2 if it cannot start."""
    host, port = _read_address(listen)
    tls = _choose_tls(tls_cert, tls_key, self_signed)
    settings = GateSettings(source=source, host=host, port=port, tls=tls, scope=scope)
    run_gate(settings, clock=lambda: datetime.now(UTC), announce=_announce)


def _read_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not host.isascii() or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 -- RFC 9293, section 3.1
        raise typer.BadParameter("write HOST:PORT, such as 0.0.0.0:8443", param_hint="'--listen'")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _choose_tls(certificate: Path | None, key: Path | None, self_signed: Path | None) -> TlsFiles | SelfSigned:
    if self_signed and not certificate and not key:
        return SelfSigned(self_signed)
    if certificate and key and not self_signed:
        return TlsFiles(certificate, key)
    raise SetupError("serve: give --tls-cert and --tls-key, or --self-signed DIR alone")


def _announce(line: str) -> None:
    sys.stderr.write(f"patchgate: {line}\n")
    sys.stderr.flush()
