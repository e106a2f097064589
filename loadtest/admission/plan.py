"""Which sides take turns, with how many clients, how often and how long."""

from dataclasses import dataclass
from typing import Final

NONE: Final = "no webhook"
STATIC: Final = "static bytes"
AGAIN: Final = "static bytes again"
GATE: Final = "gate"
KYVERNO: Final = "Kyverno alone"


@dataclass(frozen=True, slots=True)
class Side:
    """Whom kube-apiserver asks about the Pods of a namespace.

    Attributes:
        namespace: where nobody else is asked.
        webhook: what the names of the webhooks contain that are called; empty for none.
        is_refusing: whether an unpatched image is refused there.
    """

    namespace: str
    webhook: str = ""
    is_refusing: bool = False


SIDES: Final = {
    NONE: Side("load-none"),
    STATIC: Side("load-static", "static.load"),
    AGAIN: Side("load-static", "static.load"),
    GATE: Side("load-gate", "gate.load", is_refusing=True),
    KYVERNO: Side("load-kyverno", "kyverno", is_refusing=True),
}
MAIN: Final = tuple(SIDES)
WRITTEN: Final = (NONE, STATIC, GATE, KYVERNO)


@dataclass(frozen=True, slots=True)
class Block:
    """Rounds with a number of clients. is_dry: nothing is written to etcd."""

    clients: int
    rounds: int
    seconds: int
    is_dry: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """Attributes: the blocks of the main comparison, those of Kyverno asking us, and those of Pods that are written."""

    main: tuple[Block, ...]
    asking: tuple[Block, ...]
    written: tuple[Block, ...]


FULL: Final = Plan(
    main=(Block(1, 3, 3), Block(16, 7, 4), Block(50, 7, 4), Block(200, 3, 4)),
    asking=tuple(Block(clients, 3, 3) for clients in (1, 16, 50, 200)),
    written=(Block(16, 3, 2, is_dry=False),),
)
QUICK: Final = Plan(
    main=(Block(1, 1, 1), Block(16, 2, 1), Block(50, 2, 1), Block(200, 1, 4)),
    asking=(Block(16, 2, 1),),
    written=(Block(16, 1, 1, is_dry=False),),
)
