"""Something that begins a conversation as BuildKit does: HTTP/2's SETTINGS to whoever sends a client's preface."""

import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@contextlib.contextmanager
def serve_buildkit(tls: ssl.SSLContext | None = None, says: bytes = SETTINGS) -> Iterator[str]:
    """Serve on a socket, or behind TLS on a port of loopback; gives the address."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        if tls:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        else:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(f"{directory}/b.sock")
            listener.listen()
            address = f"unix://{directory}/b.sock"
        over = threading.Event()
        listener.settimeout(0.01)
        thread = threading.Thread(target=_serve, args=(listener, tls, says, over))
        thread.start()
        try:
            yield address
        finally:
            over.set()
            thread.join()


def _serve(listener: socket.socket, tls: ssl.SSLContext | None, says: bytes, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                _answer(tls.wrap_socket(connection, server_side=True) if tls else connection, says)


def _answer(connection: socket.socket, says: bytes) -> None:
    with connection:
        received = b""
        while len(received) < len(PREFACE):
            received += connection.recv(1024)
        assert received.startswith(PREFACE)
        connection.sendall(says)
