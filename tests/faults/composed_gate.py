"""The gate with another clock and a decision that fails: a main of the tests' own, which takes the flags that they use.

What is to happen is told by files of a directory (`--control`): `clock` holds seconds that the clock is ahead; while
`stall` is there, deciding STALLING holds up the event loop, and says so by a file `stalled`. Deciding SPOILT fails.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from patchgate.gate.compose import run_gate
from patchgate.gate.settings import Address, GateSettings, SelfSigned
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image
from patchgate.sources.config_source import Directory

PROGRAM = (__file__,)
SPOILT = "registry.example.com/spoilt:1"
STALLING = "registry.example.com/stalling:1"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, kind in (("--source", Path), ("--self-signed", Path), ("--control", Path), ("--drain-seconds", float)):
        parser.add_argument(name, type=kind, required=True)
    for name in ("--listen", "--ops-listen"):
        parser.add_argument(name, type=_parse_address, required=True)
    told = parser.parse_args()
    settings = GateSettings(
        source=Directory(told.source),
        listen=told.listen,
        ops_listen=told.ops_listen,
        tls=SelfSigned(told.self_signed),
        drain_seconds=told.drain_seconds,
    )
    control: Path = told.control

    def tell_time() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float((control / "clock").read_text(encoding="utf-8")))

    def decide_or_fail(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Verdict:
        if image.text == SPOILT:
            raise RuntimeError("a defect that a test made")
        if image.text == STALLING:
            _stall(control)
        return decide(image, snapshot, asker, now)

    run_gate(settings, tell_time, sys.stderr, decide_or_fail)


def _stall(control: Path) -> None:
    (control / "stalled").touch()
    while (control / "stall").exists():
        time.sleep(0.01)


def _parse_address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host, int(port))


if __name__ == "__main__":
    main()
