"""The budget that all connections share: how many are open, and how many bytes they hold. Does no input or output.

When it is used up, the largest holder gives way: the peer address with the most, and of its connections an idle one
before one that is under way. So a caller that takes much loses its own connections, from however many addresses it
comes, and a newcomer is always served. A peer that stays within the budget is never slowed down: behind konnectivity
or a proxy all reviews come from one or two addresses.
"""

from typing import Final, Protocol

CONNECTIONS: Final = 2048
"""Open connections, those in a TLS handshake included. kube-apiserver opens one per concurrent request: three of them
at their default of 200 mutating requests have 600. An idle one takes about 60 KB, so all take 120 MB."""
HELD_BYTES: Final = 64 * 1024 * 1024
"""Bytes of requests that are not answered yet, of answers that no one reads, and of large read buffers: the largest
review (REVIEW_BYTES), and room for hundreds of usual ones. With CONNECTIONS it fits the chart's limit of 512 MiB."""
_IPV4_MAPPED: Final = "::ffff:"


class Holder(Protocol):
    """A connection, in its handshake or after it."""

    @property
    def is_under_way(self) -> bool:
        """Whether a request is being read or answered on it."""

    def give_way(self) -> bool:
        """Free what it holds, now; tell whether it is closed, or else answers first what is under way."""


class _Closed:
    """What takes the place of a connection that has ended."""

    is_under_way = False

    def give_way(self) -> bool:
        """Do nothing."""
        return True


_CLOSED: Final[Holder] = _Closed()


class Share:
    """What one connection takes of the budget."""

    __slots__ = ("_budget", "held_bytes", "holder", "peer")

    def __init__(self, budget: "Budget", peer: "_Peer", holder: Holder) -> None:
        self._budget = budget
        self.peer = peer
        self.holder = holder
        self.held_bytes = 0

    def hold(self, held_bytes: int) -> None:
        """Note how many bytes the connection holds now; others, or itself, give way where that is too much."""
        if held_bytes != self.held_bytes and self in self.peer.shares:
            self._budget.note_held(self, held_bytes)

    def touch(self) -> None:
        """Note that the connection was of use now: of the idle ones of its peer it is the last to give way."""
        shares = self.peer.shares
        if self in shares:  # not closed
            del shares[self]
            shares[self] = None

    def close(self) -> None:
        """Note that the connection has ended; once is enough."""
        self._budget.note_closed(self)


class _Peer:
    """The connections of one address, the one that was of use longest ago first."""

    __slots__ = ("address", "held_bytes", "shares")

    def __init__(self, address: str) -> None:
        self.address = address
        self.shares: dict[Share, None] = {}
        self.held_bytes = 0


class Budget:
    """Of one process, for all its listeners. Used by the event loop alone."""

    def __init__(self, connections: int = CONNECTIONS, held_bytes: int = HELD_BYTES) -> None:
        self._most_connections = connections
        self._most_bytes = held_bytes
        self._peers: dict[str, _Peer] = {}
        self.connections = 0
        self.held_bytes = 0
        self.gave_way = 0
        """How many connections had to give way so far."""
        self.forget_most()

    def forget_most(self) -> None:
        """Begin anew to note the most that was taken at a time."""
        self.most_connections, self.most_held_bytes = self.connections, self.held_bytes

    def open(self, address: str, holder: Holder) -> Share:
        """Take a new connection in; where there are too many, another one gives way."""
        if self.connections >= self._most_connections:
            self._give_way(self._find_most_connected())
        name = address.removeprefix(_IPV4_MAPPED) if "." in address else address
        peer = self._peers.setdefault(name, _Peer(name))
        share = Share(self, peer, holder)
        peer.shares[share] = None
        self.connections += 1
        self.most_connections = max(self.most_connections, self.connections)
        return share

    def note_held(self, share: Share, held_bytes: int) -> None:
        """Note what a share holds now, and have the largest give way until the total fits."""
        self._set_held(share, held_bytes)
        self.most_held_bytes = max(self.most_held_bytes, self.held_bytes)
        while self.held_bytes > self._most_bytes:
            self._give_way(self._find_largest())

    def note_closed(self, share: Share) -> None:
        """Take a connection out."""
        peer = share.peer
        if share not in peer.shares:
            return
        self._set_held(share, 0)
        del peer.shares[share]
        share.holder = _CLOSED  # no cycle of references: what it took is freed at once
        self.connections -= 1
        if not peer.shares:
            del self._peers[peer.address]

    def _set_held(self, share: Share, held_bytes: int) -> None:
        more = held_bytes - share.held_bytes
        share.held_bytes = held_bytes
        share.peer.held_bytes += more
        self.held_bytes += more

    def _give_way(self, share: Share) -> None:
        self.gave_way += 1
        self._set_held(share, 0)
        if share.holder.give_way():
            self.note_closed(share)

    def _find_most_connected(self) -> Share:
        """Find the connection that was idle longest, of the peer with the most; where none is idle, its oldest."""
        peer = max(self._peers.values(), key=lambda each: len(each.shares))
        return next((each for each in peer.shares if not each.holder.is_under_way), next(iter(peer.shares)))

    def _find_largest(self) -> Share:
        """Find the largest connection of the peer that holds the most; one that is idle before one under way."""
        peer = max(self._peers.values(), key=lambda each: each.held_bytes)
        return max((each for each in peer.shares if each.held_bytes), key=_rank)


def _rank(share: Share) -> tuple[bool, int]:
    return not share.holder.is_under_way, share.held_bytes
