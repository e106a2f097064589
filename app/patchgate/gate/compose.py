"""Composes the gate and runs it: the one place where source, server, certificates, clock, metrics and log are made."""

import asyncio
import logging
import resource
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TextIO

import uvloop
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from patchgate.gate.allocator import give_back_large_blocks
from patchgate.gate.announce import Announcer
from patchgate.gate.arming import Armer, Webhooks, open_webhooks
from patchgate.gate.certificates import STAND_IN_EXPIRES, CertificateKeeper, LookedAt, make_stand_in
from patchgate.gate.client_ca import ClientCaKeeper, read_client_ca
from patchgate.gate.clock import SteadyClock, watch_clock
from patchgate.gate.follow import Follower
from patchgate.gate.gauges import read_budget, read_clock_and_log, read_contact_gauge, read_gauges, read_image_gauges
from patchgate.gate.log import ForwardHandler, make_log
from patchgate.gate.log_stream import LogStream
from patchgate.gate.memory import MemoryKeeper
from patchgate.gate.origin import Origin, open_origin
from patchgate.gate.own_port import OwnPort
from patchgate.gate.secret import open_secret
from patchgate.gate.settings import Address, ClientCertificates, GateSettings, SelfSigned, TlsFiles, TlsSecret
from patchgate.gate.standing import Standing
from patchgate.gate.tallying import Tallier
from patchgate.gate.tokens import FindUser, TokenAsker, open_token_review
from patchgate.limits import OTHER_FILES, SWITCH_SECONDS
from patchgate.metrics import GateMetrics, GaugeCollector
from patchgate.pki.self_signed import keep_self_signed
from patchgate.policy.case import BUILT_IN_CONTROLLERS, Asker
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image
from patchgate.server.app import make_app
from patchgate.server.bearer import Bearer
from patchgate.server.budget import CONNECTIONS, Budget
from patchgate.server.callers import CallerCheck, Fault
from patchgate.server.front import Front
from patchgate.server.judge import Judge
from patchgate.server.life import Life
from patchgate.server.ops import make_ops_app
from patchgate.server.page.health import Health
from patchgate.server.readiness import Readiness
from patchgate.server.reporting import Reporter
from patchgate.server.review_protocol import ReviewProtocol
from patchgate.server.serve import Server, listen, serve
from patchgate.server.tls import RotatingPair, ServedPair
from patchgate.server.token_memory import TokenMemory
from patchgate.server.verdict_cache import VerdictCache

Decide = Callable[[Image, Snapshot, Asker, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class _Gate:
    """The parts that live as long as the gate."""

    settings: GateSettings
    clock: SteadyClock
    decide: Decide
    stream: LogStream
    log: FilteringBoundLogger
    origin: Origin
    listener: socket.socket
    ops_listener: socket.socket
    pair: ServedPair
    secret: LookedAt | None
    webhooks: Webhooks | None
    find_token_user: FindUser | None


def run_gate(
    settings: GateSettings, clock: Callable[[], datetime], log_stream: TextIO, decide: Decide | None = None
) -> None:
    """Run the gate until it is told to stop. Blocks.

    clock: the machine's, gives aware UTC; the gate holds it where it goes back.
    log_stream: where the log goes.
    decide: decides one image; the policy's own, remembered, unless told otherwise.

    Raises:
        SetupError: source, certificate or address cannot be had.
    """
    stream, steady = LogStream(log_stream), SteadyClock(clock)
    log = make_log(stream)
    logging.getLogger("uvicorn").addHandler(ForwardHandler(log))
    sys.setswitchinterval(SWITCH_SECONDS)
    _raise_open_files(log)
    give_back_large_blocks()
    if settings.clients:
        read_client_ca(settings.clients.ca)  # a mistake in it must show before anything is opened
    with open_origin(settings.source, settings.names) as origin:
        listener = listen("--listen", settings.listen.host, settings.listen.port)
        ops_listener = listen("--ops-listen", settings.ops_listen.host, settings.ops_listen.port)
        pair, secret = _find_pair(settings, clock)
        decide = decide or VerdictCache().decide
        arming = settings.arming
        webhooks = open_webhooks(arming, settings.service, settings.namespace, settings.access) if arming else None
        find_user = open_token_review(settings.token_audience, settings.access) if settings.token_audience else None
        gate = _Gate(
            settings, steady, decide, stream, log, origin, listener, ops_listener, pair, secret, webhooks, find_user
        )
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                stream.gather(runner.get_loop())
                runner.run(_run(gate))
        finally:
            stream.write_out()


async def _run(gate: _Gate) -> None:
    settings, clock, log = gate.settings, gate.clock, gate.log
    standing, metrics = Standing(), GateMetrics(CollectorRegistry())
    life = Life(settings.drain_seconds)
    life.listen_to_signals(asyncio.get_running_loop())
    judge = Judge(
        lambda: standing.snapshot,
        clock,
        settings.scope,
        BUILT_IN_CONTROLLERS.union(settings.controller_users),
        settings.on_error,
        gate.decide,
    )
    certificates = CertificateKeeper(gate.pair, gate.secret, clock, metrics, log)
    callers = _make_caller_check(settings.clients, clock, metrics, log)
    client_ca = _load_client_ca(settings.clients, callers, gate.pair, metrics, log)
    own_port = OwnPort(Address(settings.listen.host, gate.listener.getsockname()[1]), gate.pair, metrics)

    def list_problems() -> tuple[Problem, ...]:
        of_webhooks = armer.list_problems() if armer else ()
        of_callers = callers.list_problems() if callers else ()
        return (*clock.list_problems(), *standing.source_problems, *of_webhooks, *of_callers)

    def list_obstacles() -> list[str]:
        return [each for each in (certificates.find_obstacle(), own_port.find_obstacle()) if each]

    readiness = Readiness(judge, life, list_obstacles)
    armer = Armer(gate.webhooks, readiness.is_ready, clock, metrics, log) if gate.webhooks else None
    app = make_app(judge, Reporter(metrics, log), readiness, list_problems)

    def find_health() -> Health:
        expires = gate.pair.current.expires
        is_stand_in = expires == STAND_IN_EXPIRES
        reasons = tuple(readiness.list_reasons())
        return Health(standing.read_at, list_problems(), reasons, None if is_stand_in else expires)

    ops = make_ops_app(judge, metrics.registry, app, find_health if settings.has_status_page else None)
    find_user = gate.find_token_user
    asker = TokenAsker(find_user, settings.token_users, metrics, log) if find_user else None
    guarded = Bearer(app, TokenMemory(asker.review).is_known) if asker else app
    costly = app.admission.costly
    protocol = partial(ReviewProtocol, admission=app.admission, life=life, costly=costly, callers=callers)
    budget = Budget()
    servers = [
        Server(Front(guarded, life, settings.closes_v1), gate.listener, gate.pair.context, protocol, budget),
        Server(Front(ops, life, closes_v1=False), gate.ops_listener, None, budget=budget),
    ]
    metrics.registry.register(GaugeCollector(lambda: read_gauges(standing, readiness, gate.pair, servers, clock())))
    metrics.registry.register(GaugeCollector(lambda: read_budget(budget)))
    metrics.registry.register(GaugeCollector(lambda: read_image_gauges(standing, clock())))
    metrics.registry.register(GaugeCollector(lambda: read_contact_gauge(gate.origin.find_contact_age_seconds)))
    metrics.registry.register(GaugeCollector(lambda: read_clock_and_log(clock, gate.stream)))
    announcer = Announcer(gate.origin.tell, clock, metrics, log) if gate.origin.tell else None
    follower = Follower(gate.origin.source, settings.names, standing, clock, metrics, log, announcer)
    background = [
        asyncio.create_task(follower.run()),
        asyncio.create_task(certificates.run()),
        asyncio.create_task(own_port.run()),
        *([asyncio.create_task(client_ca.run())] if client_ca else []),
        asyncio.create_task(watch_clock(clock, log)),
        asyncio.create_task(MemoryKeeper(budget).run()),
        asyncio.create_task(Tallier(standing, clock, metrics, log).run()),
        *([asyncio.create_task(announcer.run())] if announcer else []),
        *([asyncio.create_task(armer.run())] if armer else []),
    ]
    for task in background:
        task.add_done_callback(partial(_end_with, life))
    log.info(
        "listening",
        url=_name_url("https", settings.listen, gate.listener),
        ops_url=_name_url("http", settings.ops_listen, gate.ops_listener),
    )
    await serve(servers, life)
    if asker:
        asker.close()
    for task in background:
        task.cancel()
    ended = await asyncio.gather(*background, return_exceptions=True)
    log.info("ended")
    for error in ended:
        if isinstance(error, Exception):
            raise error


def _end_with(life: Life, task: asyncio.Task[None]) -> None:
    """End the gate with a task that keeps it current: whoever started it starts it anew."""
    if not task.cancelled():
        life.stop()


def _make_caller_check(
    clients: ClientCertificates | None, clock: SteadyClock, metrics: GateMetrics, log: FilteringBoundLogger
) -> CallerCheck | None:
    return CallerCheck(clients.auth, frozenset(clients.names), clock, metrics, log) if clients else None


def _load_client_ca(
    clients: ClientCertificates | None,
    callers: CallerCheck | None,
    pair: ServedPair,
    metrics: GateMetrics,
    log: FilteringBoundLogger,
) -> ClientCaKeeper | None:
    """Load the CAs that verify callers, where there are any.

    Raises:
        CertificateError: the file cannot be read, or holds no certificate.
    """
    if clients is None or callers is None:
        return None
    keeper = ClientCaKeeper(clients.ca, pair, partial(callers.note, Fault.UNTRUSTED), metrics, log)
    keeper.load()
    return keeper


def _raise_open_files(log: FilteringBoundLogger) -> None:
    """Let the process have as many open files as it may: each connection is one."""
    needed = CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning("fewer connections than meant can be open: raise the limit of open files", may=hard, needed=needed)


def _name_url(scheme: str, address: Address, listener: socket.socket) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def _find_pair(settings: GateSettings, clock: Callable[[], datetime]) -> tuple[ServedPair, LookedAt | None]:
    """Find the pair to begin with, and the Secret that the next ones come from, where it is one."""
    local = ("localhost", "127.0.0.1", "::1")
    match settings.tls:
        case TlsFiles(certificate, key):
            return RotatingPair(certificate, key), None
        case SelfSigned(directory):
            names = (*local, *settings.service_names, settings.listen.host)
            return RotatingPair(*keep_self_signed(directory, names, clock())), None
        case TlsSecret() as chosen:
            names = (*settings.service_names, *local)
            return ServedPair(make_stand_in(clock())), open_secret(
                chosen, settings.access, settings.namespace, names, clock
            )
