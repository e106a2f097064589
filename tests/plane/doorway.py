"""One port in front of several gates, as a Service is: each new connection goes to the next of them that answers."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

CHUNK_BYTES = 64 * 1024


@dataclass
class Doorway:
    """Passes bytes on, and knows nothing of TLS.

    Attributes:
        ports: of the gates, on loopback; a test may change them.
        port: its own.
    """

    ports: Sequence[int]
    port: int = 0
    _turn: Iterator[int] = field(default_factory=itertools.count)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self.ports[next(self._turn) % len(self.ports)]
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def open_doorway(*ports: int) -> Iterator[Doorway]:
    """Open it until the block ends, in a thread of its own."""
    doorway, loop, is_open = Doorway(ports), asyncio.new_event_loop(), threading.Event()

    async def open_port() -> asyncio.Server:
        server = await asyncio.start_server(doorway.pass_on, "127.0.0.1", 0)
        doorway.port = server.sockets[0].getsockname()[1]
        is_open.set()
        return server

    def run() -> None:
        server = loop.run_until_complete(open_port())
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert is_open.wait(10)
        yield doorway
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
