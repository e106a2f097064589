"""docs/why-was-my-pod-denied.md shows what kubectl and the ReplicaSet's Event really say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import write_configmaps
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import LABELS, deployment, name_of, pod
from tests.plane.webhooks import Guarded, enforce_in, guard
from tests.world import digest, hours_ago, image_list, patched, record, records

PAGE = Path(__file__).parents[2] / "docs/why-was-my-pod-denied.md"
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
API, FRONTEND, WORKER = (
    f"registry.example.com/shop/{name}" for name in ("api:1.4.2", "frontend:3.0.1", "worker:2.1.0")
)
WORLD = (
    image_list(API, FRONTEND, WORKER),
    records(
        {
            API: patched(f"{API}-patched-20260509", patched=hours_ago(48)),
            FRONTEND: record(
                source_digest=digest("frontend"),
                first_vulnerable=hours_ago(72),
                message="the package mirror does not carry libssl 3.0.13",
            ),
            WORKER: record(source_digest=digest("worker"), first_vulnerable=hours_ago(1)),
        }
    ),
)


@pytest.fixture(scope="module")
def guarded(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guard(plane, "denied", write_configmaps(tmp_path_factory.mktemp("denied"), *WORLD)) as running:
        yield running


def neutral(text: str) -> str:
    """Take out what differs from one cluster and one hour to the next, and fold blanks."""
    text = text.replace("enforce.denied.patchgate.io", "enforce.patchgate.io")
    text = re.sub(r"-patched-\d{8}@sha256:[0-9a-f]{64}", "-patched-YYYYMMDD@sha256:DIGEST", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"refused in \d+ h(?: \d+ min)?", "refused in DURATION", text)
    return " ".join(text.split())


def find_block(command: str) -> str:
    """Find what the page says that a command prints."""
    (block,) = [each for each in BLOCKS if each.startswith(f"$ {command}")]
    return neutral(block.partition("\n")[2])


def apply(namespace: Kubectl, folder: Path, file: str, obj: dict[str, object]) -> str:
    (folder / file).write_text(json.dumps(obj), encoding="utf-8")
    said = namespace.ask("apply", "-f", str(folder / file))
    warnings = "".join(f"Warning: {each}\n" for each in said.warnings)
    return neutral(f"{warnings}{said.errors}{said.out}".replace(f"{folder}/", ""))


def test_kubectl_apply_says_what_the_page_shows(guarded: Guarded, tmp_path: Path) -> None:
    assert apply(guarded.webhook.enforce, tmp_path, "pod.yaml", pod(API)) == find_block("kubectl apply -f pod.yaml")


def test_kubectl_apply_warns_as_the_page_shows(guarded: Guarded, tmp_path: Path) -> None:
    worker = pod(WORKER) | {"metadata": {"name": "worker"}}
    assert apply(guarded.webhook.enforce, tmp_path, "worker.yaml", worker) == find_block("kubectl apply -f worker.yaml")


def test_the_event_of_the_replica_set_says_what_the_page_shows(plane: Plane, guarded: Guarded) -> None:
    """The Deployment is older than the refusal: its namespace is enforced from now on, and it is scaled up."""
    namespace = plane.make_namespace("denied-later")
    web = deployment(FRONTEND)
    assert namespace.create(web).is_admitted
    wait_until(lambda: namespace.get("pods")["items"], "its first Pod")
    enforce_in(namespace, guarded.webhook)
    namespace.do("scale", f"deployment/{name_of(web)}", "--replicas=2")
    chosen = ("--field-selector", "reason=FailedCreate,involvedObject.kind=ReplicaSet")
    wait_until(lambda: namespace.get("events", *chosen)["items"], "the Event")
    event = namespace.get("events", *chosen)["items"][0]
    shown = find_block("kubectl describe replicaset -l app=web")
    assert LABELS == {"app": "web"}
    line = f"{event['type']} {event['reason']} {event['source']['component']} {event['message']}"
    pods = re.sub(r'pods "[\w-]+" is forbidden: ', "", line)
    assert neutral(pods) == shown
