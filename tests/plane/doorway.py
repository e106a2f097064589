"""One port in front of several gates, as a Service is: each new connection goes to the next of them that answers."""

import asyncio
import contextlib
import itertools
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.conftest import START_SECONDS

CHUNK_BYTES = 64 * 1024


@dataclass
class Doorway:
    """Passes bytes on, and knows nothing of TLS.

    Attributes:
        ports: of the gates, on loopback.
        port: its own.
    """

    ports: Sequence[int]
    port: int = 0
    _turn: Iterator[int] = field(default_factory=itertools.count)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, loops: "queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
        """Serve until the event that it hands over is set."""
        ended = asyncio.Event()
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        loops.put((asyncio.get_running_loop(), ended))
        await ended.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.1)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self.ports[next(self._turn) % len(self.ports)]
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            self._writers.add(back)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except OSError:
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
    doorway = Doorway(ports)
    loops: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(doorway.serve(loops)))
    thread.start()
    loop, ended = loops.get(timeout=START_SECONDS)
    try:
        yield doorway
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(START_SECONDS)
