"""The budget of all connections: who gives way when it is used up."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from patchgate.server.budget import Budget, Share


@dataclass
class Connection:
    """A holder that notes whether it had to give way."""

    is_under_way: bool = False
    closes: bool = True
    gave_way: int = 0
    shares: list[Share] = field(default_factory=list)

    def give_way(self) -> bool:
        self.gave_way += 1
        return self.closes


def open_many(budget: Budget, address: str, number: int, *, is_under_way: bool = False) -> list[Connection]:
    connections = [Connection(is_under_way) for _ in range(number)]
    for connection in connections:
        connection.shares.append(budget.open(address, connection))
    return connections


def list_gone(connections: list[Connection]) -> list[int]:
    return [number for number, connection in enumerate(connections) if connection.gave_way]


def test_within_the_budget_no_one_gives_way_even_if_all_come_from_one_address() -> None:
    budget = Budget(connections=400, held_bytes=400)
    connections = open_many(budget, "10.0.0.1", 400, is_under_way=True)
    for connection in connections:
        connection.shares[0].hold(1)
    assert list_gone(connections) == []
    assert budget.gave_way == 0


def test_a_newcomer_takes_the_place_of_the_longest_idle_connection_of_the_peer_with_most() -> None:
    budget = Budget(connections=6)
    honest, crowd = open_many(budget, "10.0.0.1", 2), open_many(budget, "10.0.0.2", 4)
    crowd[0].shares[0].touch()
    open_many(budget, "10.0.0.3", 1)
    assert (list_gone(honest), list_gone(crowd)) == ([], [1])
    assert budget.connections == 6


def test_a_connection_on_which_a_request_is_under_way_gives_way_after_idle_ones() -> None:
    budget = Budget(connections=3)
    busy, idle = open_many(budget, "10.0.0.1", 2, is_under_way=True), open_many(budget, "10.0.0.1", 1)
    open_many(budget, "10.0.0.2", 1)
    assert (list_gone(busy), list_gone(idle)) == ([], [0])
    open_many(budget, "10.0.0.2", 1)
    assert list_gone(busy) == [0]


def test_addresses_of_ipv4_mapped_to_ipv6_are_the_same_peer() -> None:
    budget = Budget(connections=3)
    mapped, plain = open_many(budget, "::ffff:10.0.0.1", 1), open_many(budget, "10.0.0.1", 1)
    other = open_many(budget, "::1", 1)
    open_many(budget, "10.0.0.9", 1)
    assert (list_gone(mapped), list_gone(plain), list_gone(other)) == ([0], [], [])


def test_the_largest_connection_of_the_largest_peer_gives_way_first() -> None:
    budget = Budget(held_bytes=100)
    honest = open_many(budget, "10.0.0.1", 1, is_under_way=True)
    crowd = open_many(budget, "10.0.0.2", 3, is_under_way=True)
    honest[0].shares[0].hold(36)
    for connection, held_bytes in zip(crowd, (20, 30, 25), strict=True):
        connection.shares[0].hold(held_bytes)
    assert (list_gone(honest), list_gone(crowd)) == ([], [1])
    assert budget.held_bytes == 81


def test_who_asks_for_too_much_alone_gives_way_itself() -> None:
    budget = Budget(held_bytes=100)
    (connection,) = open_many(budget, "10.0.0.1", 1)
    connection.shares[0].hold(101)
    assert (connection.gave_way, budget.held_bytes) == (1, 0)


def test_one_that_answers_before_it_closes_stays_and_gives_way_again() -> None:
    budget = Budget(connections=1)
    (first,) = open_many(budget, "10.0.0.1", 1)
    first.closes = False
    open_many(budget, "10.0.0.2", 1)
    assert (first.gave_way, budget.connections) == (1, 2)
    first.shares[0].close()
    first.shares[0].close()
    first.shares[0].hold(5)
    first.shares[0].touch()
    assert (budget.connections, budget.held_bytes) == (1, 0)


STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "hold", "touch", "close"]), st.integers(0, 5), st.integers(0, 60)), max_size=60
)


@given(steps=STEPS)
def test_whatever_comes_the_totals_are_right_and_within_the_budget(steps: list[tuple[str, int, int]]) -> None:
    budget = Budget(connections=8, held_bytes=100)
    opened: list[Share] = []
    for step, peer, number in steps:
        if step == "open":
            opened.append(budget.open(f"10.0.0.{peer}", Connection(is_under_way=bool(number % 2))))
        elif opened:
            share = opened[number % len(opened)]
            if step == "hold":
                share.hold(number)
            else:
                {"touch": share.touch, "close": share.close}[step]()
        alive = [share for share in opened if share in share.peer.shares]
        assert budget.connections == len(alive) <= 8
        assert budget.held_bytes == sum(share.held_bytes for share in alive) <= 100
        assert all(share.held_bytes == 0 for share in opened if share not in alive)
