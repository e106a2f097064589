"""`make load-cluster`: what it costs to follow a real kube-apiserver, and its faults; writes CLUSTER.md.

etcd, kube-apiserver and the gate share the machine (`make tools` builds the first two). A fault is looked at for
_WINDOW_SECONDS from when the gate has said that it noticed it.
"""

import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import OK
from pathlib import Path
from typing import Final

from kubernetes.client import ApiClient, Configuration, CoreV1Api, V1ConfigMap, V1ObjectMeta
from kubernetes.config import load_kube_config

from loadtest.figure import Bar, Figure, summarize
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from loadtest.servers import Server
from loadtest.worlds import list_configmaps
from tests.plane.cluster_gate import RIGHTS, ClusterGate, run_cluster_gate, start_cluster_gate
from tests.plane.control_plane import Plane, run_plane
from tests.world import image_list
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, KUBERNETES

_RESULTS: Final = Path(__file__).parent / "CLUSTER.md"
_HEAD: Final = """# Following a cluster

By `make load-cluster` on {date}: {machine}.
A real kube-apiserver beside the gate on the same cores. CPU, log lines and requests are those of {seconds} s each.
"""
_IMAGES: Final = 100_000
_MORE_CONFIGMAPS: Final = ("--record-configmaps", "200")
_WRITES: Final = 50
_CHANGES: Final = 20_000
_WINDOW_SECONDS: Final = 30
_PATIENCE_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.005
_LIST: Final = "copa-image-list"


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where the programs are missing."""
    programs, etcd = (find_programs(module, find_cache()) for module in (KUBERNETES, ETCD))
    if programs is None or etcd is None:
        print("kube-apiserver and etcd are not built here; make tools does", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, run_plane(programs, etcd, Path(folder)) as plane:
        figures = list(measure(plane, Path(folder)))
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), seconds=_WINDOW_SECONDS)
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def measure(plane: Plane, folder: Path) -> Iterator[Figure]:
    """Measure a large namespace, then changes, then faults."""
    api = _connect(plane)
    yield _measure_start(plane, api, folder / "large")
    with run_cluster_gate(plane, "lists", folder / "lists") as cluster:
        cluster.put(image_list("registry.example.com/app:1"))
        cluster.gate.wait_until_ready()
        yield _measure_in_force(cluster, api)
        yield _measure_changes(cluster, api)
        yield from _measure_window(cluster, "nothing happens", None)
        cluster.grant(RIGHTS | {"configmaps": ("get", "list")})
        _wait_for_problem(cluster)
        yield from _measure_window(cluster, "the watch is refused", api)
        cluster.grant(RIGHTS)
        _wait(lambda: not cluster.problems)
        yield from _measure_standstill(plane, cluster, api)
        plane.api_server.end()
        _wait_for_problem(cluster)
        yield from _measure_window(cluster, "kube-apiserver is down", None)


def _measure_start(plane: Plane, api: CoreV1Api, folder: Path) -> Figure:
    """Measure the peak of a gate that starts on a large namespace."""
    with run_cluster_gate(plane, "large", folder, *_MORE_CONFIGMAPS) as cluster:
        cluster.gate.stop()
    configmaps = list_configmaps(_IMAGES, datetime.now(UTC))
    for each in configmaps:
        metadata = V1ObjectMeta(name=each.name, labels=dict(each.labels))
        api.create_namespaced_config_map("large", V1ConfigMap(metadata=metadata, data=dict(each.data)))
    with start_cluster_gate(plane, "large", cluster.kubeconfig, *_MORE_CONFIGMAPS) as gate:
        _wait(lambda: gate.ask("GET", "/readyz").status == OK)
        peak = Server("gate", gate.process.pid, gate.port, "gate").read_memory("VmHWM")
    detail = f"{_IMAGES:,} images in {len(configmaps)} ConfigMaps"
    return Figure("resident, at the peak of starting", peak, peak, peak, detail, Bar(400), unit="MiB")


def _measure_in_force(cluster: ClusterGate, api: CoreV1Api) -> Figure:
    seconds = [_write(cluster, api, f"registry.example.com/write-{number}:1") for number in range(_WRITES)]
    return summarize("ConfigMap written → new verdict", seconds, "s", f"{_WRITES} times", bar=Bar(1))


def _measure_changes(cluster: ClusterGate, api: CoreV1Api) -> Figure:
    server = _see(cluster)
    before = server.read_memory("VmRSS")
    began = time.monotonic()
    for number in range(_CHANGES):
        _patch(cluster, api, f"registry.example.com/change-{number}:1")
    seconds = time.monotonic() - began
    _write(cluster, api, "registry.example.com/last:1")
    after = server.read_memory("VmRSS")
    detail = f"{_CHANGES:,} changes in {seconds:.0f} s; {before:.1f} MiB → {after:.1f} MiB"
    return Figure("resident after ÷ before", after / before, after / before, after / before, detail, Bar(1.03))


def _measure_window(cluster: ClusterGate, what: str, api: CoreV1Api | None) -> Iterator[Figure]:
    """Measure what the gate costs while nobody asks it. api: says how often it refused; None where it does not."""
    time.sleep(1)
    server, denied = _see(cluster), _count_refused(api)
    cpu_seconds, lines = server.cpu_seconds, len(cluster.gate.said)
    time.sleep(_WINDOW_SECONDS)
    cpu = 100 * (server.cpu_seconds - cpu_seconds) / _WINDOW_SECONDS
    said = (len(cluster.gate.said) - lines) / _WINDOW_SECONDS
    refused = (_count_refused(api) - denied) / _WINDOW_SECONDS
    if api and not refused:
        raise ValueError("kube-apiserver counted no refusal")
    yield Figure(f"{what}: CPU", cpu, cpu, cpu, "of a core", Bar(2), unit="%")
    yield Figure(f"{what}: log lines", said, said, said, "", Bar(1), unit="/s")
    if refused:
        yield Figure(f"{what}: requests refused", refused, refused, refused, "", Bar(1), unit="/s")


def _measure_standstill(plane: Plane, cluster: ClusterGate, api: CoreV1Api) -> Iterator[Figure]:
    """Measure a kube-apiserver that is stopped and goes on."""
    process = plane.api_server.process
    if process is None:
        return
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        _wait_for_problem(cluster)
        noticed = time.monotonic() - began
        yield Figure("kube-apiserver frozen: noticed", noticed, noticed, noticed, "", Bar(60), unit="s")
        yield from _measure_window(cluster, "kube-apiserver is frozen", None)
    finally:
        process.send_signal(signal.SIGCONT)
    fresh = _write(cluster, api, "registry.example.com/fresh:1")
    yield Figure("goes on: written → new verdict", fresh, fresh, fresh, "", Bar(15), unit="s")


def _write(cluster: ClusterGate, api: CoreV1Api, image: str) -> float:
    """List an image; give the seconds until it is decided by."""
    began = time.monotonic()
    _patch(cluster, api, image)
    _wait(lambda: cluster.reason(image) == "Unscanned")
    return time.monotonic() - began


def _patch(cluster: ClusterGate, api: CoreV1Api, image: str) -> None:
    text = f"registry.example.com/app:1\n{image}\n"
    api.patch_namespaced_config_map(_LIST, cluster.kubectl.namespace, {"data": {"images.txt": text}})


def _count_refused(api: CoreV1Api | None) -> float:
    """Count the requests that kube-apiserver refused to authorize, of whomever."""
    if api is None:
        return 0.0
    text = str(api.api_client.call_api("GET", f"{api.api_client.configuration.host}/metrics").read(), "utf-8")
    lines = [line for line in text.splitlines() if line.startswith("authorization_attempts_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'result="allowed"' not in line)


def _see(cluster: ClusterGate) -> Server:
    return Server("gate", cluster.gate.process.pid, cluster.gate.port, "gate")


def _wait_for_problem(cluster: ClusterGate) -> None:
    _wait(lambda: bool(cluster.problems))


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _connect(plane: Plane) -> CoreV1Api:
    configuration = Configuration()
    load_kube_config(str(plane.kubectl.kubeconfig), client_configuration=configuration)
    return CoreV1Api(ApiClient(configuration))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
