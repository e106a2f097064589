"""`make load-certificates`: how long a gate takes to serve a good certificate again; writes CERTIFICATES.md.

A real kube-apiserver, two gates that keep their own Secret and one that reads somebody else's.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import trustme

from loadtest.figure import Bar, Figure, summarize
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from tests.conftest import write_configmaps
from tests.plane.control_plane import Plane, run_plane
from tests.plane.secured import Replicas, grant, make_secret, put_in_force, run_replicas
from tests.plane.webhooks import SYSTEM
from tests.world import image_list
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, KUBERNETES

_RESULTS: Final = Path(__file__).parent / "CERTIFICATES.md"
_HEAD: Final = """# Certificates that are served again

By `make load-certificates` on {date}: {machine}.
A real kube-apiserver on the same cores; from the fault or its mending until all gates are ready with a good one.
"""
_ROUNDS: Final = 5
_BAR: Final = Bar(10)
_PATIENCE_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.02
_KEYS: Final = ("tls.crt", "tls.key", "ca.crt", "ca.key", "ca.changed")


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where the programs are missing."""
    programs, etcd = (find_programs(module, find_cache()) for module in (KUBERNETES, ETCD))
    if programs is None or etcd is None:
        print("kube-apiserver and etcd are not built here; make tools does", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, run_plane(programs, etcd, Path(folder)) as plane:
        world = Path(folder) / "world"
        world.mkdir()
        write_configmaps(world, image_list("registry.example.com/app:1"))
        plane.make_namespace(SYSTEM)
        figures = [*measure_own(plane, world), measure_mended(plane, world)]
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def measure_own(plane: Plane, world: Path) -> Iterator[Figure]:
    """Measure gates that keep their own Secret, which is deleted or scribbled over."""
    grant(plane, "kept", ("get", "update"), ("get", "patch"), creates=True)
    own = ("--issue-certificates", "--webhook-configuration", "kept")
    with run_replicas(plane, "kept", world, *own) as replicas, put_in_force(plane, replicas):
        replicas.wait_until_ready()
        before = replicas.secret

        def restore(spoil: Callable[[], object]) -> float:
            return _time(spoil, lambda: replicas.secret == before and replicas.is_ready())

        deleted = [restore(lambda: replicas.system.do("delete", "secret", "kept-tls")) for _ in range(_ROUNDS)]
        garbage = [restore(lambda: replicas.put(dict.fromkeys(_KEYS, b"garbage"))) for _ in range(_ROUNDS)]
    yield summarize("own Secret deleted → back, with the same CA", deleted, "s", f"{_ROUNDS} times", bar=_BAR)
    yield summarize("own Secret of garbage → back, with the same CA", garbage, "s", f"{_ROUNDS} times", bar=_BAR)


def measure_mended(plane: Plane, world: Path) -> Figure:
    """Measure a gate that started on an expired leaf of somebody else's Secret, once that is mended."""
    seconds = []
    for number in range(_ROUNDS):
        name, ca = f"read-{number}", trustme.CA()
        host = f"{name}.{SYSTEM}.svc"
        make_secret(plane, name, _issue(ca, host, datetime.now(UTC) - timedelta(days=1)))
        grant(plane, name, ("get",), ("get",))
        with run_replicas(plane, name, world, count=1) as replicas:
            _time(lambda: None, lambda: _is_expired_said(replicas))
            good = _issue(ca, host, datetime.now(UTC) + timedelta(days=30))
            seconds.append(_time(partial(replicas.put, good), replicas.is_ready))
    return summarize("expired at the start, mended → ready", seconds, "s", f"{_ROUNDS} times", bar=_BAR)


def _is_expired_said(replicas: Replicas) -> bool:
    return "expired" in replicas.gates[0].ask("GET", "/readyz?verbose").body.decode()


def _issue(ca: trustme.CA, host: str, expires: datetime) -> dict[str, bytes]:
    leaf = ca.issue_cert(host, not_before=expires - timedelta(days=60), not_after=expires)
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    return {"tls.crt": chain, "tls.key": leaf.private_key_pem.bytes(), "ca.crt": ca.cert_pem.bytes()}


def _time(begin: Callable[[], object], is_done: Callable[[], bool]) -> float:
    began = time.monotonic()
    begin()
    while not is_done():
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise TimeoutError(f"not so after {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
