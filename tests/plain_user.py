"""A plain user's rights for a test that runs as root, who may read everything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def as_a_plain_user() -> Iterator[None]:
    """Be a user without rights of its own until the block ends, where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
