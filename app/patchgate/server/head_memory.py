"""Remembers what the heads of reviews meant: kube-apiserver sends the same few bytes before every review.

Only what the parser has read, in the plain shape in which no two readers can differ, is remembered; and only the same
bytes, to the last one, are taken to mean the same again.
"""

import re
from dataclasses import dataclass
from typing import Final

from patchgate.limits import HEADS_REMEMBERED, REMEMBERED_HEAD_BYTES
from patchgate.policy.decision import Mode

_END: Final = b"\r\n\r\n"
_PLAIN: Final = re.compile(rb"POST /[!-~]+ HTTP/1\.1\r\n(?:[A-Za-z-]+: [ -~]*\r\n)+\r\n")


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What a head means, of a review whose connection is kept.

    Attributes:
        mode: what is asked for.
        url: as it is in the request line.
        head_bytes: how long the head is, with its empty line.
        body_bytes: its Content-Length.
    """

    mode: Mode
    url: bytes
    head_bytes: int
    body_bytes: int


class HeadMemory:
    """The heads known, for all connections."""

    def __init__(self, size: int = HEADS_REMEMBERED) -> None:
        self._known: dict[bytes, KnownHead] = {}
        self._size = size

    def find(self, data: bytes) -> KnownHead | None:
        """Find what the head means that the data begins with; None where it is not known, or not there as a whole."""
        return self._known.get(cut_head(data))

    def learn(self, head: bytes, mode: Mode, url: bytes, body_bytes: int) -> None:
        """Remember what the parser made of a head (of `cut_head`), unless it is not plain or its body is empty."""
        if not (body_bytes and _PLAIN.fullmatch(head)):
            return
        if len(self._known) >= self._size:
            self._known.clear()  # whoever makes heads up costs others a parser's time, once
        self._known[head] = KnownHead(mode, url, len(head), body_bytes)


def cut_head(data: bytes) -> bytes:
    """Cut off the head that the data begins with; empty where it does not end in time."""
    end = data.find(_END, 0, REMEMBERED_HEAD_BYTES)
    return data[: end + len(_END)] if end >= 0 else b""
