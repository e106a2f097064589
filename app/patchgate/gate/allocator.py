"""Keeps the C library from holding on to memory: what is large is given back to the system as soon as it is freed.

By default glibc raises the size from which it does so to that of whatever large block was freed last. From then on the
tables of a count of 100,000 images, gone after a second, lie in each thread's arena among those that stay, and arenas
only grow: by 7 MiB a minute under a change a second with the status page open (measured by `make load-soak`).
"""

import ctypes
from typing import Final

from patchgate.limits import LARGE_BLOCK_BYTES

_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3


def give_back_free_memory() -> bool:
    """Give back what is free wherever it lies, not at the end of an arena alone; tell whether there was any. Blocks."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return False
    return bool(trim(0))


def give_back_large_blocks() -> bool:
    """Fix the size from which a block is large; tell whether it is fixed: only glibc has, and needs, this.

    Free memory at the end of an arena is given back from twice that size on, as glibc itself chooses: its first choice
    of 128 KiB would be asked back at the next read of a connection.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    is_fixed = mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES) and mallopt(_M_TRIM_THRESHOLD, 2 * LARGE_BLOCK_BYTES)
    return bool(is_fixed)
