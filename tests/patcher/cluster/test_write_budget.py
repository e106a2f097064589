"""How much is written to kube-apiserver at once, and in the long run."""

from patchgate.limits import RECORD_BYTES_A_SECOND, RECORD_BYTES_AT_ONCE
from patchgate.patcher.cluster.write_budget import WriteBudget

MIB = 1024 * 1024


class Clock:
    """Time that passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def write(budget: WriteBudget, size_bytes: int) -> None:
    budget.wait()
    budget.spend(size_bytes)


def test_two_hundred_full_configmaps_are_written_at_once_and_then_one_a_second() -> None:
    clock = Clock()
    budget = WriteBudget(clock, clock.sleep)
    for _ in range(RECORD_BYTES_AT_ONCE // MIB + 1):
        write(budget, MIB)
    assert clock.now == 0
    for _ in range(10):
        write(budget, MIB)
    assert clock.now == 10


def test_ten_minutes_stay_well_below_etcds_quota_of_2_gib() -> None:
    clock, written = Clock(), 0
    budget = WriteBudget(clock, clock.sleep)
    while clock.now < 600:
        write(budget, 900 * 1024)
        written += 900 * 1024
    assert written < 802 * MIB  # the last write may overdraw it


def test_what_was_not_used_is_saved_up_to_a_full_bucket() -> None:
    clock = Clock()
    budget = WriteBudget(clock, clock.sleep)
    write(budget, RECORD_BYTES_AT_ONCE + 30 * RECORD_BYTES_A_SECOND)
    clock.sleep(10)
    write(budget, 1)
    assert clock.now == 30
    clock.sleep(10_000)
    write(budget, RECORD_BYTES_AT_ONCE + 1)
    assert clock.now == 10_030
    write(budget, 1)
    assert clock.now > 10_030
