"""Large blocks of memory are given back when they are freed, however large the ones before were."""

import subprocess
import sys

from patchgate.gate.allocator import give_back_large_blocks

PROGRAM = """
import ctypes, sys
from pathlib import Path
from patchgate.gate.allocator import give_back_large_blocks

def read_heap_mebibytes():
    lines = Path("/proc/self/smaps").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.endswith("[heap]"))
    return int(next(line.split()[1] for line in lines[start:] if line.startswith("Size:"))) / 1024

if sys.argv[1] == "fixed":
    assert give_back_large_blocks()
bytearray(16 << 20)  # made and freed: from here on glibc would put what is as large on its heap
before = read_heap_mebibytes()
kept = bytearray(8 << 20)
print(read_heap_mebibytes() - before > 4)
"""


def is_put_on_the_heap(how: str) -> bool:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return ended.stdout.strip() == "True"


def test_a_large_block_is_put_apart_whatever_was_freed_before() -> None:
    assert is_put_on_the_heap("as it is")  # or this test could not fail
    assert not is_put_on_the_heap("fixed")


READS = """
import sys
from resource import RUSAGE_SELF, getrusage
from patchgate.gate.allocator import give_back_large_blocks
from patchgate.limits import LARGE_BLOCK_BYTES

give_back_large_blocks()
size = {"a connection's": 256 * 1024, "large": LARGE_BLOCK_BYTES}[sys.argv[1]]
bytes(size)
before = getrusage(RUSAGE_SELF).ru_minflt
for _ in range(1000):
    block = bytearray(size)
    del block
print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""


def count_faults_of_1000_blocks(of: str) -> int:
    ended = subprocess.run([sys.executable, "-c", READS, of], capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_what_a_connection_reads_into_is_not_given_back_after_each_read() -> None:
    assert count_faults_of_1000_blocks("large") > 1000  # each is new memory of the system
    assert count_faults_of_1000_blocks("a connection's") < 500


def test_it_is_told_whether_the_c_library_can() -> None:
    assert give_back_large_blocks()
