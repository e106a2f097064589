"""A patcher that does nothing but write: `python -m tests.plane.record_writer KUBECONFIG NAMESPACE NAME WRITES`.

Every write adds a digest of its own to one record that all writers share, so that a lost one is missed.
With WRITES 0 it holds a tag, says so, and holds it for ever.
"""

import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from patchgate.patcher.cluster.store import ClusterStore
from patchgate.patcher.transition import record_failure
from patchgate.policy.record import Record
from tests.patcher.images import IMAGE, attempt
from tests.plane.patch_cluster import QUICK, make_api
from tests.world import NAMES, NOW, digest


def main() -> None:
    kubeconfig, namespace, name, writes = sys.argv[1:]
    began = time.monotonic()

    def tell_time() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    store = ClusterStore(make_api(Path(kubeconfig)), namespace, NAMES, tell_time, pace=QUICK)
    if writes == "0":
        with store.hold_tag(f"{IMAGE}-patched-20260509", 0):
            sys.stdout.write("held\n")
            sys.stdout.flush()
            time.sleep(3600)

    for number in range(int(writes)):

        def add(before: Record | None, number: int = number) -> Record:
            record = before or record_failure(None, attempt(), "first", NOW)
            return replace(record, earlier_sources=(*record.earlier_sources, digest(f"{name}-{number}")))

        store.change_record(IMAGE, add)


if __name__ == "__main__":
    main()
