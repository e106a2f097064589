"""Runs real gates for the tests, and asks them: over a socket with real TLS, or in this process through ASGI."""

import asyncio
import io
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
import yaml
from hypothesis import HealthCheck, settings
from prometheus_client import CollectorRegistry

from patchgate.gate.log import make_log
from patchgate.metrics import GateMetrics
from patchgate.policy.decision import Scope, decide
from patchgate.policy.part import Problem
from patchgate.server.app import MainApp, make_app
from patchgate.server.judge import Judge, OnError
from patchgate.server.life import Life
from patchgate.server.ops import make_ops_app
from patchgate.server.protocol import GateProtocol
from patchgate.server.readiness import Readiness
from patchgate.server.reporting import Reporter
from patchgate.server.review_protocol import ReviewProtocol
from patchgate.server.serve import Server, listen, serve
from tests.die_with_parent import die_with_parent
from tests.groups import (
    is_ci,
    pytest_make_collect_report,  # noqa: F401 -- a hook of pytest's
    pytest_runtest_makereport,  # noqa: F401 -- a hook of pytest's
)
from tests.world import (
    FIXTURES,
    NOW,
    clean,
    digest,
    exceptions,
    hours_ago,
    image_list,
    patched,
    record,
    records,
    snapshot,
)

settings.register_profile(
    "patchgate",
    deadline=None,  # no test asserts a time
    suppress_health_check=[HealthCheck.too_slow],  # nor does its machine
    derandomize=is_ci(),  # what CI lands was tested with the same examples; a person's runs look for others
)
settings.load_profile("patchgate")

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message

    from patchgate.configmaps.configmap import ConfigMap
    from patchgate.policy.case import Asker
    from patchgate.policy.snapshot import Snapshot
    from patchgate.policy.verdict import Verdict
    from patchgate.policy.workload import Image

REVIEWS = FIXTURES / "reviews"
START_SECONDS = 120.0
"""Bounds every wait for what comes at once on an idle machine."""
SERVE = ("-m", "patchgate", "serve")
LISTENING = re.compile(r'"url":"https://\[?(.+?)\]?:(\d+)","ops_url":"http://.+?:(\d+)","event":"listening"')
API = "registry.example.com/myapp/api:1.4.2"
API_DIGEST = "sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2"  # the recorded reviews name it
API_PATCHED = f"{API}-patched-20260509"
WORKER = "registry.example.com/myapp/worker:2.1.0"
FRONTEND = "registry.example.com/myapp/frontend:3.0.1"
NGINX_BASE = "registry.example.com/shared/nginx-base:1.25.3"
SHOP = (
    image_list(API, WORKER, FRONTEND, NGINX_BASE, "docker.io/library/nginx:1.25", "registry.example.com/no tag here"),
    records(
        {
            API: patched(API_PATCHED, approved_digest=API_DIGEST, source_digest=digest("api")),
            WORKER: record(source_digest=digest("worker"), source_platforms={}),
            FRONTEND: record(source_digest=digest("frontend"), source_platforms={}, first_vulnerable=hours_ago(72)),
            NGINX_BASE: clean(NGINX_BASE, approved_digest=digest("base"), source_digest=digest("base")),
        }
    ),
    exceptions(
        f"- {{image: '{FRONTEND}', namespaces: [staging], reason: vendor fix, owner: platform@example.com,"
        f" expires: '{hours_ago(-24)}'}}\n"
    ),
)
"""One image patched, one within its SLA, one beyond it, one clean, one not looked at; and a line that is none."""


def write_configmaps(directory: Path, *configmaps: "ConfigMap") -> Path:
    """Write ConfigMaps as YAML files, every time in them moved from NOW to the real clock."""
    moved_by = datetime.now(UTC) - NOW

    def move(match: re.Match[str]) -> str:
        return (datetime.fromisoformat(match[0]) + moved_by).strftime("%Y-%m-%dT%H:%M:%SZ")

    directory.mkdir(parents=True, exist_ok=True)
    for configmap in configmaps:
        data = {key: re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", move, text) for key, text in configmap.data.items()}
        metadata = {"name": configmap.name, "labels": dict(configmap.labels)}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        (directory / f"{configmap.name}.yaml").write_text(yaml.dump(obj, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return directory


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON is what it is
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Gate:
    """A gate in a process of its own."""

    process: subprocess.Popen[str]
    host: str
    port: int
    trust: ssl.SSLContext
    said: list[str]
    ops_port: int

    def connect(self) -> HTTPSConnection:
        return HTTPSConnection(self.host, self.port, context=self.trust, timeout=START_SECONDS)

    def open_socket(self, source: str = "") -> socket.socket:
        """A connection, from one of this machine's addresses."""
        return socket.create_connection((self.host, self.port), timeout=START_SECONDS, source_address=(source, 0))

    def open_tls(self, source: str = "") -> ssl.SSLSocket:
        """A connection for bytes that no HTTP client would send."""
        return self.trust.wrap_socket(self.open_socket(source), server_hostname=self.host)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask on a connection of its own. body: bytes as they are, an iterator of bytes chunked, else as JSON."""
        content = body if body is None or isinstance(body, bytes | Iterator) else json.dumps(body).encode()
        connection = self.connect()
        try:
            connection.request(method, path, content, headers or {})
            response = connection.getresponse()
            answered = {name.lower(): text for name, text in response.getheaders()}
            return Answer(response.status, answered, response.read())
        finally:
            connection.close()

    def review(self, body: object, mode: str = "enforce") -> Answer:
        return self.ask("POST", f"/validate/{mode}?timeout=30s", body, {"Content-Type": "application/json"})

    def ask_ops(self, path: str) -> Answer:
        """Ask the ops listener, which speaks plain HTTP."""
        connection = HTTPConnection(self.host, self.ops_port, timeout=START_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def wait_until(self, is_so: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait, within so many seconds, for something that the gate will show."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "".join(self.said)
            time.sleep(0.01)

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: self.ask("GET", "/readyz").status == 200)

    def events(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log that tell of such an event."""
        return [line for line in map(json.loads, self.said) if line["event"] == event]

    def metric(self, series: str) -> float:
        """The value of a series of `/metrics`, named as it stands there; 0 where there is none."""
        lines = (line.rpartition(" ") for line in self.ask_ops("/metrics").text.splitlines())
        return next((float(value) for name, _, value in lines if name == series), 0.0)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(START_SECONDS)


@contextmanager
def run_gate(
    source: Path | None,
    ca: Path | None,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = SERVE,
    is_sound: bool = True,
    prefix: Sequence[str] = (),
) -> Iterator[Gate]:
    """Run a gate until the block ends; its announcement says the ports.

    source: a directory; None where the arguments name another source. ca: there once it listens; None where nobody
    can know the gate's certificate yet, so that it is asked without looking and not waited for. program: Python's
    arguments that run it, which takes the arguments of `serve`. is_sound: whether it may log no traceback.
    prefix: words before its command, such as those that put it into a cgroup.
    """
    listen = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--drain-seconds", "0"]
    command = [*die_with_parent(), *prefix, sys.executable, *program, *listen]
    command += ["--source", str(source)] if source else []
    process = subprocess.Popen(
        [*command, *arguments], stderr=subprocess.PIPE, text=True, env=os.environ | (environment or {})
    )
    lines: queue.Queue[str] = queue.Queue()
    said: list[str] = []
    reader = threading.Thread(target=_read_lines, args=(process, lines, said))
    reader.start()
    try:
        announced = None
        while announced is None:  # before it stand only the machine's own limits; at its end the queue stays empty
            announced = LISTENING.search(lines.get(timeout=START_SECONDS))
        trust = ssl.create_default_context(cafile=ca) if ca else make_blind_context()
        gate = Gate(process, announced[1], int(announced[2]), trust, said, int(announced[3]))
        assert gate.ask("GET", "/livez").status == 200  # the socket listens already: this waits for the loop to turn
        if ca and source and (source / "copa-image-list.yaml").exists():
            gate.wait_until_ready()
        yield gate
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        finally:
            process.kill()
            process.wait()
            reader.join()
    assert not (is_sound and [line for line in said if "Traceback" in line]), "".join(said)


def make_blind_context() -> ssl.SSLContext:
    """A client that does not look who answers, as the kubelet's probes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str], said: list[str]) -> None:
    assert process.stderr
    with process.stderr:
        for line in process.stderr:
            said.append(line)
            lines.put(line)
    lines.put("")


def make_gate_app(
    *configmaps: "ConfigMap", scope: Scope = Scope.ALL, source_problems: tuple[Problem, ...] = ()
) -> "ASGIApp":
    """The application in this process, at NOW; without ConfigMaps, before the first snapshot."""
    standing = snapshot(*configmaps) if configmaps else None
    judge = Judge(current=lambda: standing, clock=lambda: NOW, scope=scope)
    reporter = Reporter(GateMetrics(CollectorRegistry()), make_log(io.StringIO()))
    return make_app(judge, reporter, Readiness(judge, Life(0)), lambda: source_problems)


@dataclass(frozen=True)
class Doors:
    """Both applications of a gate in this process, with what they count and log."""

    main: MainApp
    ops: "FastAPI"
    metrics: GateMetrics
    log: io.StringIO

    @property
    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def make_doors(
    *configmaps: "ConfigMap",
    clock: Callable[[], datetime] = lambda: NOW,
    on_error: OnError = OnError.DENY,
    log: io.StringIO | None = None,
    decide: "Callable[[Image, Snapshot, Asker, datetime], Verdict]" = decide,
) -> Doors:
    """Both applications at the clock's time; without ConfigMaps, before the first snapshot."""
    standing = snapshot(*configmaps) if configmaps else None
    judge = Judge(current=lambda: standing, clock=clock, on_error=on_error, decide=decide)
    metrics, stream = GateMetrics(CollectorRegistry()), log or io.StringIO()
    main = make_app(judge, Reporter(metrics, make_log(stream)), Readiness(judge, Life(0)), lambda: ())
    return Doors(main, make_ops_app(judge, metrics.registry, main), metrics, stream)


@dataclass(frozen=True)
class Served:
    """An application served by a thread of this process over plain HTTP, for limits that a test makes small."""

    server: Server
    life: Life
    loop: asyncio.AbstractEventLoop
    address: tuple[str, int]
    thread: threading.Thread

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    def open(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=START_SECONDS)

    def tell(self, what: Callable[[], None]) -> None:
        """Have the event loop do something; return once it is done."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(what)
        self.loop.call_soon_threadsafe(done.set)
        assert done.wait(START_SECONDS)


@contextmanager
def serve_here(app: "ASGIApp", life: Life) -> Iterator[Served]:
    """Serve until the block ends."""
    listener = listen("--listen", "127.0.0.1", 0)
    server = Server(app, listener, None, _make_short_way(app, life) if isinstance(app, MainApp) else GateProtocol)
    loops: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            loops.put(runner.get_loop())
            runner.run(serve([server], life))

    thread = threading.Thread(target=run)
    thread.start()
    served = Served(server, life, loops.get(timeout=START_SECONDS), listener.getsockname(), thread)
    try:
        wait_until(lambda: server.started)
        yield served
    finally:
        if thread.is_alive():
            served.loop.call_soon_threadsafe(life.hurry)
        thread.join(START_SECONDS)


def _make_short_way(app: MainApp, life: Life) -> Callable[..., GateProtocol]:
    return partial(ReviewProtocol, admission=app.admission, life=life, costly=app.admission.costly)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait, within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_configmaps(tmp_path_factory.mktemp("shop"), *SHOP)


GateRunner = Callable[..., AbstractContextManager[Gate]]


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> GateRunner:
    """Runs a gate that is self-signed: `self_signed(source, *arguments)`."""

    def run(source: Path, *arguments: str) -> AbstractContextManager[Gate]:
        directory = tmp_path_factory.mktemp("pki")
        return run_gate(source, directory / "ca.crt", "--self-signed", str(directory), *arguments)

    return run


@pytest.fixture(scope="session")
def gate(shop: Path, self_signed: GateRunner) -> Iterator[Gate]:
    with self_signed(shop) as running:
        yield running


@pytest.fixture(scope="session")
def cold_gate(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[Gate]:
    with self_signed(tmp_path_factory.mktemp("empty")) as running:
        yield running


def read_recorded(name: str) -> bytes:
    """A review as kube-apiserver sent it."""
    return (REVIEWS / f"{name}.json").read_bytes()


def change(name: str, **fields: object) -> dict[str, Any]:
    """A recorded review with other fields in its request."""
    review: dict[str, Any] = json.loads(read_recorded(name))
    review["request"] |= fields
    return review


def ask_app(app: "ASGIApp", method: str, path: str, *chunks: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask the application in this process. chunks: the body; the caller goes away after them if the last is empty."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks if chunk]
    messages.append({"type": "http.disconnect"} if chunks and not chunks[-1] else {"type": "http.request"})
    sent: list[Message] = []

    async def receive() -> "Message":
        return messages.pop(0)

    async def send(message: "Message") -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "root_path": "",
        "path": path.partition("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()],
    }

    async def call() -> Answer:
        await app(scope, receive, send)
        answered = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return Answer(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))

    return asyncio.run(call())
