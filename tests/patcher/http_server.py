"""A small real HTTP server that answers as a test says, and remembers what it was asked."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

from urllib3 import HTTPHeaderDict


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer; without a status the connection is closed instead, with `silent` nothing ever comes.

    dripping: a head without end, byte by byte.
    """

    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None
    silent: bool = False
    dripping: bool = False


CLOSED = Reply(None)
SILENT = Reply(None, silent=True)


@dataclass
class HttpServer:
    """Serves on loopback until its block ends."""

    answer: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    server: "ThreadingHTTPServer | None" = None

    @property
    def host(self) -> str:
        assert self.server
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def seen(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.asked]

    @contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator["HttpServer"]:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self.server.shutdown()
            thread.join()
            self.server.server_close()


def _make_handler(owner: HttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, HTTPHeaderDict(self.headers.items()), body)
            owner.asked.append(asked)
            self._reply(owner.answer(asked))

        def _reply(self, reply: Reply) -> None:
            if reply.silent:
                owner.over.wait()
            if reply.dripping:
                _drip(self.wfile, owner.over)
            if reply.status is None or reply.dripping:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, text in ({"Content-Length": str(len(reply.body))} | dict(reply.headers)).items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.cut_at])
            self.close_connection = self.close_connection or reply.cut_at is not None

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 -- as the base class has it
            pass

    return Handler


def _drip(stream: BufferedIOBase, over: threading.Event) -> None:
    stream.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    with contextlib.suppress(OSError):
        while not over.wait(0.02):
            stream.write(b"x")
