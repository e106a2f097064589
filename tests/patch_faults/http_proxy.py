"""A proxy on loopback before a real HTTP server: what a rule does not single out passes as it is.

Each connection carries one request: it is closed with its answer, so only the head is parsed, and the rest passed on.
"""

import contextlib
import re
import select
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 64 * 1024
REST_SECONDS = 5.0
REQUEST = re.compile(rb"^(\S+) (\S+) HTTP/1\.[01]\r\n")
AGENT = re.compile(rb"^user-agent: *(.*?)\r$", re.IGNORECASE | re.MULTILINE)
CONNECTION = re.compile(rb"^connection:.*?\r\n", re.IGNORECASE | re.MULTILINE)
HOST = re.compile(rb"^host:.*?\r\n", re.IGNORECASE | re.MULTILINE)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. agent: the User-Agent; empty where there is none."""

    method: str
    path: str
    agent: str

    @property
    def is_ours(self) -> bool:
        """Whether patchgate itself asks, and not Trivy or BuildKit."""
        return self.agent == "patchgate"

    @property
    def is_push(self) -> bool:
        """Whether it changes what the registry holds."""
        return self.method in {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered instead of asking the server."""

    status: str
    headers: tuple[str, ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """The request is passed on later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is answered, as long as the asker waits."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset."""


Action = Answer | Wait | Silence | Reset
Rule = Callable[[Asked], Action | None]


def let_pass(_: Asked) -> None:
    """Single nothing out."""


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        host, port: of the server behind it.
        path: put before every path that is asked; then the host is named as it is, too.
        asked: every request, in order.
    """

    host: str
    port: int
    path: str = ""
    rule: Rule = let_pass
    asked: list[Asked] = field(default_factory=list)
    _server: socketserver.ThreadingTCPServer | None = None
    _own_port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._own_port}"

    def start(self) -> None:
        """Listen; once more on the same port."""
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    proxy._handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

        self._server = Server(("127.0.0.1", self._own_port), Handler)
        self._own_port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        """Listen no longer: whoever connects is refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextlib.contextmanager
    def following(self, rule: Rule) -> Iterator[None]:
        """Follow a rule as long as the block lasts."""
        self.rule = rule
        try:
            yield
        finally:
            self.rule = let_pass
            if not self._server:
                self.start()

    def _handle(self, client: socket.socket) -> None:
        client.settimeout(REST_SECONDS)
        head, rest = _read_head(client)
        found = REQUEST.match(head)
        if not found:
            return
        agent = AGENT.search(head)
        asked = Asked(found[1].decode(), found[2].decode(), agent[1].decode() if agent else "")
        self.asked.append(asked)
        match self.rule(asked):
            case Answer() as answer:
                _answer(client, answer)
            case Wait(seconds):
                time.sleep(seconds)
                self._pass_on(client, head, rest)
            case Silence():
                client.settimeout(None)
                while client.recv(CHUNK_BYTES):
                    pass
            case Reset():
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            case None:
                self._pass_on(client, head, rest)

    def _pass_on(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        head = CONNECTION.sub(b"", head)
        if self.path:
            head = HOST.sub(f"Host: {self.host}\r\n".encode(), head.replace(b" ", f" {self.path}".encode(), 1))
        head = head[:-2] + b"Connection: close\r\n\r\n"
        with socket.create_connection((self.host, self.port)) as server:
            server.sendall(head + rest)
            _splice(client, server)


@contextlib.contextmanager
def run_proxy(url: str) -> Iterator[Proxy]:
    """Run one on a free port, before the HTTP server of a URL, until the block ends."""
    parts = urlsplit(url)
    assert parts.scheme == "http", f"{url}: TLS is not passed on"
    proxy = Proxy(parts.hostname or "", parts.port or 80, parts.path.rstrip("/"))
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.end()


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Read a request's head, and what came with it of its body."""
    read = b""
    while b"\r\n\r\n" not in read and len(read) < HEAD_BYTES:
        chunk = client.recv(CHUNK_BYTES)
        if not chunk:
            return b"", b""
        read += chunk
    head, end, rest = read.partition(b"\r\n\r\n")
    return head + end, rest


def _answer(client: socket.socket, answer: Answer) -> None:
    body = answer.body.encode()
    lines = [f"HTTP/1.1 {answer.status}", *answer.headers, f"Content-Length: {len(body)}", "Connection: close"]
    client.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)
    client.shutdown(socket.SHUT_WR)
    while client.recv(CHUNK_BYTES):  # closed with something unread, the answer could be lost
        pass


def _splice(client: socket.socket, server: socket.socket) -> None:
    """Pass on what either says until the server has said all."""
    listening = [client, server]
    client.settimeout(None)
    while True:
        for each in select.select(listening, [], [])[0]:
            chunk = each.recv(CHUNK_BYTES)
            if each is server and not chunk:
                return
            if chunk:
                (server if each is client else client).sendall(chunk)
            else:
                listening.remove(client)
