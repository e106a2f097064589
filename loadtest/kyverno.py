"""`make load-kyverno`: a minute of 50 Pods a second through the real Kyverno, which asks us; writes KYVERNO.md."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, summarize
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.conftest import write_configmaps
from tests.kyverno.burst import burst
from tests.kyverno.controllers import run_kyverno
from tests.kyverno.distribution import render_distribution
from tests.kyverno.site import Site
from tests.plane.control_plane import run_plane
from tests.plane.webhooks import SYSTEM
from tests.plane.world import API_PATCHED, WORLD
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, HELM, KUBERNETES, KYVERNO
from tools.sources import find_sources

_RESULTS: Final = Path(__file__).parent / "KYVERNO.md"
_HEAD: Final = """# Kyverno asks the gate

By `make load-kyverno` on {date}: {machine}, Kyverno {version}.
A real kube-apiserver, Kyverno's admission controller and the gate on the same cores; {pods} Pods, 50 a second, each of
which Kyverno asks the gate about. Connections are the most that were open with the gate at a time.
"""
_PODS: Final = 3000
_FORMS: Final = (("validatingPolicy", False), ("clusterPolicy", False), ("clusterPolicy", True))


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where the programs are missing."""
    found = [find_programs(module, find_cache()) for module in (KUBERNETES, ETCD, HELM, KYVERNO)]
    programs = [each for each in found if each]
    if len(programs) < len(found):
        print("kube-apiserver, etcd, helm or Kyverno are not built here; make tools does", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        figures = list(_measure(Path(folder), programs))
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), version=KYVERNO.version, pods=f"{_PODS:,}"
    )
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def _measure(folder: Path, programs: list[Path]) -> Iterator[Figure]:
    kubernetes, etcd, helm_folder, kyverno = programs
    helm = Helm(helm_folder / "helm")
    distribution = render_distribution(find_sources(KYVERNO, find_cache()), helm, folder)
    with run_plane(kubernetes, etcd, folder) as plane, run_kyverno(plane, kyverno, distribution, plane.credentials.ca):
        plane.make_namespace(SYSTEM)
        pair = plane.credentials.issue_server("gate", "127.0.0.1")
        arguments = ["--tls-cert", str(pair[0]), "--tls-key", str(pair[1])]
        site = Site(plane, Chart(helm), arguments, write_configmaps(folder / "world", *WORLD))
        for form, has_bundle in _FORMS:
            yield from _measure_form(site, form, has_bundle=has_bundle)


def _measure_form(site: Site, form: str, *, has_bundle: bool) -> Iterator[Figure]:
    bundle = {"caBundle": site.plane.credentials.ca.read_text(encoding="utf-8")} if has_bundle else {}
    with site.enforce(form, **bundle) as (policies, gate):
        done = burst(site.plane, policies, gate.port, API_PATCHED, _PODS)
    for failure in done.failed[:3]:
        print(failure, file=sys.stderr)
    what = f"{form}, {'caBundle' if has_bundle else 'roots'}"
    detail = f"of {done.admitted + len(done.failed):,} Pods"
    yield summarize(f"{what}: failures", [len(done.failed)], "", detail, bar=Bar(0))
    yield summarize(f"{what}: connections", [done.connections], "", detail, bar=Bar(100))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
