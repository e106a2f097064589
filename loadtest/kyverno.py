"""`make load-kyverno`: a minute of 50 Pods a second through the real Kyverno, which asks us; writes KYVERNO.md."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, summarize
from loadtest.machine import describe_machine
from loadtest.peers.programs import Programs, find_all_programs
from loadtest.results import write_figures
from loadtest.verb import measure_in_folder
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
from tools.cache import find_cache
from tools.modules import KYVERNO
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
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    return measure_in_folder("load-kyverno", _measure)


def _measure(folder: Path) -> list[Figure]:
    figures = list(_measure_forms(folder, find_all_programs()))
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), version=KYVERNO.version, pods=f"{_PODS:,}"
    )
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return figures


def _measure_forms(folder: Path, programs: Programs) -> Iterator[Figure]:
    helm = Helm(programs.helm / "helm")
    distribution = render_distribution(find_sources(KYVERNO, find_cache()), helm, folder)
    with (
        run_plane(programs.kubernetes, programs.etcd, folder) as plane,
        run_kyverno(plane, programs.kyverno, distribution, plane.credentials.ca),
    ):
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
    sys.exit(main())
