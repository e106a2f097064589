"""Composes the gate and runs it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from patchgate.configmaps.assemble import assemble
from patchgate.configmaps.configmap import Names
from patchgate.gate.settings import GateSettings, SelfSigned, TlsFiles
from patchgate.gate.standing import Standing
from patchgate.pki.self_signed import keep_self_signed
from patchgate.server.app import make_app
from patchgate.server.judge import Judge
from patchgate.server.serve import listen, serve
from patchgate.server.tls import load_context
from patchgate.sources.directory import DirectorySource
from patchgate.sources.source import Source


def run_gate(settings: GateSettings, clock: Callable[[], datetime], announce: Callable[[str], None]) -> None:
    """Run the gate until it is told to stop. Blocks.

    clock: gives now, aware UTC.
    announce: told in a line where the gate listens, once it does.

    Raises:
        SetupError: source, certificate or address cannot be had.
    """
    standing = Standing()
    load(standing, DirectorySource(settings.source), Names(), clock())
    judge = Judge(current=lambda: standing.snapshot, clock=clock, scope=settings.scope)
    app = make_app(judge, source_problems=lambda: standing.source_problems)
    listener = listen(settings.host, settings.port)
    context = load_context(*_find_pair(settings, clock()))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"listening on https://{host}:{listener.getsockname()[1]}")
    serve(app, listener, context)


def load(standing: Standing, source: Source, names: Names, now: datetime) -> None:
    """Read the source into the standing.

    Raises:
        SourceError: the source as a whole cannot be read.
    """
    reading = source.read()
    standing.source_problems = reading.problems
    standing.snapshot = assemble(reading.configmaps.values(), (), standing.snapshot, names, now)


def _find_pair(settings: GateSettings, now: datetime) -> tuple[Path, Path]:
    match settings.tls:
        case TlsFiles(certificate, key):
            return certificate, key
        case SelfSigned(directory):
            service = ("patchgate.copa-system.svc", "patchgate.copa-system", "patchgate")
            return keep_self_signed(directory, ("localhost", *service, "127.0.0.1", "::1", settings.host), now)
