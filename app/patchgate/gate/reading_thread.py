"""Runs what may never return (a read of a file system that hangs) in a thread that the gate's end does not wait for."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def start_in_thread(do: Callable[[], _Result]) -> asyncio.Future[_Result]:
    """Start it in a thread of its own; gives what it gives, or raises what it raises.

    asyncio's own threads are waited for when the loop ends, and all share six places.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def settle(set_done: Callable[[], None]) -> None:
        if not done.done():  # nobody waits for it any more
            set_done()

    def run() -> None:
        try:
            result = do()
        except Exception as error:  # noqa: BLE001 -- whoever waits for it takes it
            tell(lambda error=error: done.set_exception(error))  # type: ignore[misc] # mypy cannot infer a default
        else:
            tell(lambda: done.set_result(result))

    def tell(set_done: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, set_done)

    threading.Thread(target=run, name="reading", daemon=True).start()
    return done
