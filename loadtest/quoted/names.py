"""The names that documents quote figures by: a cell of a results file, or what is reckoned from such cells.

A formula is given a function that gives the figure of another name. What a document merely assumes (five reviews a Pod)
stands in its text and in the formula's comment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from loadtest.quoted.table import Cell

Get: TypeAlias = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A figure that is reckoned of others."""

    formula: Callable[[Get], float]


Name: TypeAlias = Cell | Reckoned

_CPU: Final = "CPU µs a review"
_GATE: Final[dict[str, Name]] = {
    "review-5kb": Cell("RESULTS.md", "5 KB | gate", _CPU),
    "review-15kb": Cell("RESULTS.md", "15 KB | gate", _CPU),
    "review-40kb": Cell("RESULTS.md", "40 KB | gate", _CPU),
    "review-5kb-quiet": Cell("RESULTS.md", "5 KB, 700/s | gate", _CPU),
    "review-40kb-quiet": Cell("RESULTS.md", "40 KB, 700/s | gate", _CPU),
    "rate-5kb": Cell("RESULTS.md", "5 KB | gate", "requests/s"),
    "rate-40kb": Cell("RESULTS.md", "40 KB | gate", "requests/s"),
    "full-p99-5kb": Cell("RESULTS.md", "5 KB | gate", "p99 ms"),
    "full-p99-40kb": Cell("RESULTS.md", "40 KB | gate", "p99 ms"),
    "controller-runtime-5kb": Cell("RESULTS.md", "5 KB: controller-runtime ÷ gate"),
    "controller-runtime-40kb": Cell("RESULTS.md", "40 KB: controller-runtime ÷ gate"),
    "rest-p99": Cell("RESULTS.md", "p99, rest"),
    "change-p99": Cell("RESULTS.md", "p99, changing"),
    "change-ratio": Cell("RESULTS.md", "p99, a change a second ÷ at rest"),
    "noise-least": Cell("RESULTS.md", "p99, at rest again ÷ at rest (A/A: the noise)", "range", 0),
    "noise-most": Cell("RESULTS.md", "p99, at rest again ÷ at rest (A/A: the noise)", "range", 1),
    "start-memory": Cell("RESULTS.md", "resident, at the peak of starting"),
    "load-memory": Cell("RESULTS.md", "resident, at the peak of the changes under load"),
    "soak-memory": Cell("SOAK.md", "resident, the highest sample"),
    "page-memory": Cell("PAGE.md", "resident, after it"),
    "file-in-force": Cell("RESULTS.md", "a change on disk → in force, the longest"),
    "cluster-in-force": Cell("CLUSTER.md", "ConfigMap written → new verdict"),
    "idle-cpu": Cell("CLUSTER.md", "nothing happens: CPU"),
    "configmap-all-ms": Cell("RESULTS.md", "one ConfigMap of 170 changed, every record of it ÷ building all", "detail"),
    "configmap-one-ms": Cell("RESULTS.md", "the same, one record of it", "detail"),
    "secret-back": Cell("CERTIFICATES.md", "own Secret deleted → back, with the same CA"),
    "garbage-back": Cell("CERTIFICATES.md", "own Secret of garbage → back, with the same CA"),
    "refused-after": Cell("NODE.md", "helm install → an unpatched Pod is refused"),
    "kyverno-connections": Cell("KYVERNO.md", "clusterPolicy, caBundle: connections"),
}
_KYVERNO: Final[dict[str, Name]] = {
    "cluster-policy-ratio": Cell("PEERS.md", "100 images, ClusterPolicy: Kyverno ÷ gate"),
    "validating-policy-ratio": Cell("PEERS.md", "100 images, ValidatingPolicy: Kyverno ÷ gate"),
    "cluster-policy-ratio-1000": Cell("PEERS.md", "1,000 images, ClusterPolicy: Kyverno ÷ gate"),
    "validating-policy-ratio-1000": Cell("PEERS.md", "1,000 images, ValidatingPolicy: Kyverno ÷ gate"),
    "create-any-webhook": Cell("ADMISSION.md", "16 clients, p50: static bytes ÷ no webhook"),
    "create-gate": Cell("ADMISSION.md", "16 clients, p50: gate ÷ static bytes"),
    "create-p99-gate": Cell("ADMISSION.md", "16 clients, p99: gate ÷ Kyverno alone"),
    "create-api-call": Cell("ADMISSION.md", "16 clients, p50: Kyverno asks, apiCall ÷ gate"),
    "create-cel": Cell("ADMISSION.md", "16 clients, p50: Kyverno asks, CEL http ÷ gate"),
    "create-catalog": Cell("ADMISSION.md", "16 clients, p50: Kyverno asks, GlobalContextEntry ÷ gate"),
}
_PATCHER: Final[dict[str, Name]] = {
    "ten-first": Cell("PATCH.md", "10 images: first run, --jobs 4"),
    "ten-ratio": Cell("PATCH.md", "10 images: first run ÷ the article's order"),
    "ten-again": Cell("PATCH.md", "10 images: second run, --jobs 4"),
    "ten-rescan": Cell("PATCH.md", "10 images: third run, --jobs 4"),
    "ten-rescan-ratio": Cell("PATCH.md", "10 images: third run ÷ the article's order again"),
    "ten-shards": Cell("PATCH.md", "10 images: two shards ÷ one run"),
    "patcher-memory": Cell(
        "PATCH_MEMORY.md", "resident, at the peak: nothing new, every image verified again, --jobs 4"
    ),
    "patcher-writes": Cell("PATCH_MEMORY.md", "writes an image: nothing new, every image verified again, --jobs 4"),
    "patcher-writes-16": Cell("PATCH_MEMORY.md", "writes an image: the same, --jobs 16"),
}
_SCALE: Final[dict[str, Name]] = {
    # % of a core, at five reviews of 40 KB a Pod, as each costs on a core that is mostly idle
    "core-500-pods": Reckoned(lambda get: 500 / 60 * 5 * get("review-40kb-quiet") / 1e6 * 100),
    "core-5000-pods": Reckoned(lambda get: 5_000 / 60 * 5 * get("review-40kb-quiet") / 1e6 * 100),
    "core-30000-pods": Reckoned(lambda get: 30_000 / 60 * 5 * get("review-40kb-quiet") / 1e6 * 100),
    "core-300-pods-a-second": Reckoned(lambda get: 300 * 5 * get("review-40kb-quiet") / 1e6 * 100),
    "few-memory": Cell("CLUSTER.md", "resident after ÷ before", "detail", 2),
    "image-memory": Reckoned(lambda get: (get("load-memory") - get("few-memory")) * 1024 / 100_000),
    # the two cores of the measurements, ten images
    "core-seconds-an-image": Reckoned(lambda get: 2 * get("ten-first") / 10),
    "core-hours-5000-images": Reckoned(lambda get: 5_000 * get("core-seconds-an-image") / 3600),
    "minutes-5000-images-16-cores": Reckoned(lambda get: get("core-hours-5000-images") / 16 * 60),
    "minutes-300-images-2-cores": Reckoned(lambda get: 30 * get("ten-first") / 60),
    "seconds-300-images-again": Reckoned(lambda get: 30 * get("ten-again")),
    "minutes-5000-images-again": Reckoned(lambda get: 500 * get("ten-again") / 60),
    "minutes-300-images-rescan": Reckoned(lambda get: 30 * get("ten-rescan") / 60),
    "core-hours-5000-images-rescan": Reckoned(lambda get: 2 * 500 * get("ten-rescan") / 3600),
}
NAMES: Final[Mapping[str, Name]] = MappingProxyType(_GATE | _KYVERNO | _PATCHER | _SCALE)
