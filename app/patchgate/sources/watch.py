"""Says when a directory may have changed. It reads nothing, and never ends.

Watched by inotify (watchfiles), the parent beside the directory itself: a directory that is replaced takes its watch
with it. Beside that it is looked at every LOOK_AGAIN_SECONDS, for what nobody tells of (NFS, overlays).
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

from patchgate.limits import DEBOUNCE_MILLISECONDS, LOOK_AGAIN_SECONDS


async def watch_directory(directory: Path) -> AsyncIterator[None]:
    """Yield soon after each change right below the (absolute) directory, and every LOOK_AGAIN_SECONDS without one."""
    while True:
        try:
            async for is_replaced in _watch_once(directory):
                yield
                if is_replaced:
                    break
        except Exception:  # noqa: BLE001 -- gone, or the kernel's watch broke: whoever reads it says so, until it is back
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            yield


async def _watch_once(directory: Path) -> AsyncIterator[bool]:
    """Yield at each change; whether the directory itself was replaced, and must be watched anew.

    Raises:
        OSError, RuntimeError, ExceptionGroup: it cannot be watched.
    """
    loop, looked_at = asyncio.get_running_loop(), 0.0
    parent = [directory.parent] if os.access(directory.parent, os.R_OK) else []
    async for changes in awatch(
        directory,
        *parent,
        watch_filter=None,  # watchfiles' own passes over what editors and tools keep
        debounce=DEBOUNCE_MILLISECONDS,
        recursive=False,
        rust_timeout=int(LOOK_AGAIN_SECONDS * 1000),
        yield_on_timeout=True,
    ):
        paths = [Path(path) for _, path in changes]
        is_ours = any(directory in (path, path.parent) for path in paths)
        if is_ours or loop.time() - looked_at >= LOOK_AGAIN_SECONDS:  # however busy its neighbours are
            looked_at = loop.time()
            yield directory in paths
