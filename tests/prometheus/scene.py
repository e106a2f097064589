"""A cluster with something to tell: the chart installed, a gate that decides and was missed, Prometheus watching.

The objects that the chart makes for Prometheus' operator are taken from kube-apiserver, and done as the operator does:
the ServiceMonitor's port and path are scraped, with the labels of service discovery, by the PrometheusRule's rules.
"""

import base64
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.chart.helm import Helm
from tests.conftest import Gate
from tests.plane.control_plane import Plane, wait_until
from tests.plane.installed import Installation, prepare
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod
from tests.prometheus.server import Prometheus, Target, run_prometheus
from tests.world import clean, digest, exceptions, hours_ago, image_list, patched, record, records

NAME = "monitored"
WAIT_SECONDS = 60.0
_SHOP = "registry.example.com/shop"
PATCHED, PENDING, NEAR, BREACHED = (f"{_SHOP}/{name}:1" for name in ("api", "worker", "cart", "frontend"))
CLEAN, FAILED, UNPATCHABLE, STALE, UNSCANNED = (
    f"{_SHOP}/{name}:1" for name in ("base", "mail", "agent", "search", "new")
)
WORLD = (
    image_list(PATCHED, PENDING, NEAR, BREACHED, CLEAN, FAILED, UNPATCHABLE, STALE, UNSCANNED, "no image"),
    records(
        {
            PATCHED: patched(f"{PATCHED}-patched-20260509", source_digest=digest("api")),
            PENDING: record(source_digest=digest("worker"), first_vulnerable=hours_ago(5)),
            NEAR: record(source_digest=digest("cart"), first_vulnerable=hours_ago(21)),
            BREACHED: record(source_digest=digest("frontend"), first_vulnerable=hours_ago(72)),
            CLEAN: clean(CLEAN, source_digest=digest("base"), approved_digest=digest("base")),
            FAILED: record(state="failed", source_digest=digest("mail"), first_vulnerable=hours_ago(40)),
            UNPATCHABLE: record(state="unpatchable", source_digest=digest("agent")),
            STALE: patched(f"{STALE}-patched-20260507", hours_ago(30), source_digest=digest("search")),
        },
        last_run=hours_ago(13),
        generation=41,
    ),
    exceptions(f"- {{image: '{_SHOP}/**', reason: r, owner: o, expires: '{hours_ago(1)}'}}\n"),
)
"""Images in every state, and something for each alert about images; the patcher has not run for two schedules."""


@dataclass(frozen=True)
class Scene:
    """What a person with kubectl, and one with Prometheus, would see.

    Attributes:
        prometheus: it scrapes the gate and kube-apiserver.
        gate: asked over TLS, with the CA of its Secret.
        enforce, warn, audit: kubectl in a namespace of this mode.
    """

    prometheus: Prometheus
    gate: Gate
    enforce: Kubectl
    warn: Kubectl
    audit: Kubectl

    def make_traffic(self) -> None:
        """Create Pods of every kind in every mode, and ask as Kyverno does."""
        for namespace in (self.enforce, self.warn, self.audit):
            for image in (f"{PATCHED}-patched-20260509", PENDING, PATCHED, BREACHED):
                namespace.create(pod(image))
        answer = self.gate.ask("POST", "/v1/decisions", {"images": [PATCHED, BREACHED, "busybox"]})
        assert (answer.status, answer.json["allowed"]) == (200, False)


@contextlib.contextmanager
def run_scene(plane: Plane, helm: Helm, prometheus: Path, folder: Path) -> Iterator[Scene]:
    """Run it until the block ends. folder: for files."""
    _know_operator(plane)
    release = prepare(plane, helm, NAME)
    namespaces = [_make_namespace(plane, mode) for mode in ("enforce", "warn", "audit")]
    release.do("install", {"webhook": {"failurePolicy": "Fail"}})
    release.fill(folder / "world", *WORLD)
    try:
        with release.run_gate() as gate:
            _wait_until_armed(gate, namespaces[0])
        _miss_the_gate(*namespaces)
        with release.run_gate() as gate:
            _wait_until_armed(gate, namespaces[0])
            trusted = replace(gate, trust=_trust(release))
            with run_prometheus(prometheus, folder, _list_targets(release, gate), _read_rules(release)) as running:
                yield Scene(running, trusted, *namespaces)
    finally:
        release.system.ask("delete", "validatingwebhookconfiguration", NAME)


def _know_operator(plane: Plane) -> None:
    """Have kube-apiserver know the operator's kinds: their names alone, as its own schemas are not to be had here."""
    for kind, plural in (("ServiceMonitor", "servicemonitors"), ("PrometheusRule", "prometheusrules")):
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        spec = {
            "group": "monitoring.coreos.com",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        }
        metadata = {"name": f"{plural}.monitoring.coreos.com"}
        kind_of_kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        plane.kubectl.do("create", "-f", "-", given={**kind_of_kind, "metadata": metadata, "spec": spec})
        plane.kubectl.do("wait", "--for=condition=Established", f"crd/{metadata['name']}", "--timeout=60s")


def _make_namespace(plane: Plane, mode: str) -> Kubectl:
    return plane.make_namespace(f"{NAME}-{mode}", {"patchgate.io/mode": mode})


def _wait_until_armed(gate: Gate, enforced: Kubectl) -> None:
    gate.wait_until(lambda: gate.metric("patchgate_armed") == 1, WAIT_SECONDS)
    gate.wait_until(lambda: gate.metric('patchgate_tracked_images{state="patched"}') > 0, WAIT_SECONDS)
    refused = "no@@reference: not an image reference"
    wait_until(
        lambda: refused in enforced.create(pod("no@@reference"), "--dry-run=server").errors, "asked", WAIT_SECONDS
    )


def _miss_the_gate(enforced: Kubectl, warned: Kubectl, audited: Kubectl) -> None:
    """Create Pods while no gate is there: refused under Fail, let through where nothing is enforced."""
    assert "failed calling webhook" in enforced.create(pod(PATCHED)).errors
    assert warned.create(pod(PATCHED)).is_admitted
    assert audited.create(pod(PATCHED)).is_admitted


def _trust(release: Installation) -> ssl.SSLContext:
    secret = release.system.get("secret", f"{NAME}-certificate")
    return ssl.create_default_context(cadata=base64.b64decode(secret["data"]["ca.crt"]).decode())


def _list_targets(release: Installation, gate: Gate) -> list[Target]:
    (endpoint,) = release.system.get("servicemonitor", NAME)["spec"]["endpoints"]
    assert endpoint["port"] == "ops"
    found = {"namespace": NAME, "service": NAME, "pod": f"{NAME}-0"}
    plane = release.plane
    own = {"cert_file": str(plane.folder / "admin.crt"), "key_file": str(plane.folder / "admin.key")}
    tls = {"ca_file": str(plane.credentials.ca), **own}
    port = int(plane.server.rpartition(":")[2])
    return [
        Target(NAME, gate.ops_port, found, endpoint["path"]),
        Target("apiserver", port, {"namespace": "default"}, tls=tls),
    ]


def _read_rules(release: Installation) -> dict[str, Any]:
    return dict(release.system.get("prometheusrule", NAME)["spec"])
