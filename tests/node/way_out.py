"""An HTTP proxy (RFC 9110, sections 7.1 and 9.3.6) that listens in the node's network and asks from this machine's.

The node has no route out, as many clusters have none; what must reach a package mirror is told of the proxy, as there.
"""

import contextlib
import http.client
import select
import shutil
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.node import addresses
from tests.node.machine import Machine

_SECONDS: Final = 60.0
_BLOCK_BYTES: Final = 1 << 16
_HOP_BY_HOP: Final = {"connection", "keep-alive", "proxy-connection", "transfer-encoding"}


class _Forwarder(BaseHTTPRequestHandler):
    """One connection of somebody inside."""

    timeout = _SECONDS

    def do_GET(self) -> None:
        """Ask for a whole URL, and pass on what is said of it."""
        url = urllib.parse.urlsplit(self.path)
        with contextlib.closing(http.client.HTTPConnection(url.netloc, timeout=_SECONDS)) as connection:
            headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(self.command, url._replace(scheme="", netloc="").geturl(), headers=headers)
            answer = connection.getresponse()
            self.send_response(answer.status, answer.reason)
            for name, text in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, text)
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile, _BLOCK_BYTES)

    do_HEAD = do_GET  # noqa: N815 -- the name that http.server asks for

    def do_CONNECT(self) -> None:
        """Join the connection with one to HOST:PORT."""
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), _SECONDS) as outside:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            _join(self.connection, outside)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
        """Say nothing: who asks says what went wrong."""


class _Proxy(ThreadingHTTPServer):
    """One that listens where somebody else has made it listen."""

    daemon_threads = True

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Forwarder, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


@contextlib.contextmanager
def run_way_out(machine: Machine) -> Iterator[None]:
    """Run the proxy on addresses.PROXY until the block ends."""
    with _Proxy(machine.listen(addresses.NODE, addresses.PROXY_PORT)) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    while True:
        readable, _, _ = select.select((one, other), (), (), _SECONDS)
        for each in readable:
            block = each.recv(_BLOCK_BYTES)
            if not block:
                return
            (other if each is one else one).sendall(block)
        if not readable:
            return
