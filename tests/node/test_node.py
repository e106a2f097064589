"""What the other tests stand on: the node is a real one, and leaves nothing behind."""

from collections.abc import Iterator

import pytest

from tests.node.node import Node
from tests.node.workloads import IMAGE, RESTRICTED, container, pod, pod_spec, service, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod as plain_pod
from tools.modules import NODE

SLEEP = "sleep infinity"


@pytest.fixture(scope="module")
def inside(node: Node) -> Iterator[Kubectl]:
    """A namespace under Pod Security `restricted`."""
    yield node.make_namespace("pods", RESTRICTED)
    node.kubectl.do("delete", "namespace", "pods", "--wait=false")


def run(inside: Kubectl, name: str, script: str, **fields: object) -> None:
    assert inside.create(pod(name, script, **fields)).errors == ""
    wait_for(inside, f"pod/{name}", "condition=Ready")


def test_kubelet_is_the_pinned_version(node: Node) -> None:
    assert node.kubectl.get("node", "n1")["status"]["nodeInfo"]["kubeletVersion"] == NODE.version


def test_a_pod_runs_and_its_log_is_read(inside: Kubectl) -> None:
    run(inside, "speaker", f"id -u; echo $HOSTNAME; {SLEEP}")
    wait_until(lambda: inside.do("logs", "speaker").out == "65532\nspeaker\n", "the log of a Pod")


def test_a_command_is_run_in_a_pod(inside: Kubectl) -> None:
    run(inside, "shell", SLEEP)
    assert inside.do("exec", "shell", "--", "cat", "/proc/1/comm").out == "sleep\n"
    assert inside.ask("exec", "shell", "--", "sh", "-c", "exit 3").code == 3


def test_a_pod_reaches_another_through_a_service_by_its_name(inside: Kubectl) -> None:
    answer = r"while :; do printf 'HTTP/1.0 200 OK\r\n\r\nhello\n' | nc -l -p 8080; done"
    assert inside.create(service("web", 8080)).is_admitted
    run(inside, "web", answer)
    run(inside, "client", SLEEP)
    asked = ("exec", "client", "--", "sh", "-c", "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 web.pods 8080")
    wait_until(lambda: "hello" in inside.ask(*asked).out, "an answer through the Service")


def test_kube_apiserver_reaches_a_service(node: Node, inside: Kubectl) -> None:
    """The way that a webhook is called: from a process of the node, by the Service's address."""
    run(inside, "ponger", r"while :; do printf 'HTTP/1.0 200 OK\r\n\r\npong\n' | nc -l -p 8080; done")
    assert inside.create(service("ponger", 8080)).is_admitted
    address = inside.get("service", "ponger")["spec"]["clusterIP"]

    def is_connected() -> bool:
        try:
            node.machine.connect(address, 8080).close()
        except OSError:
            return False
        return True

    wait_until(is_connected, "a connection to the Service")


def test_pod_security_refuses_what_is_not_restricted(inside: Kubectl) -> None:
    said = inside.create(plain_pod(IMAGE))
    assert 'violates PodSecurity "restricted:latest"' in said.errors


def test_a_secret_is_mounted(inside: Kubectl) -> None:
    inside.do("create", "secret", "generic", "word", "--from-literal=word=sesame")
    volume = {"name": "word", "secret": {"secretName": "word"}}
    mounted = container("main", "cat /word/word", volumeMounts=[{"name": "word", "mountPath": "/word"}])
    spec = pod_spec([mounted], volumes=[volume], restartPolicy="Never")
    inside.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"}, "spec": spec})
    wait_for(inside, "pod/reader", "jsonpath={.status.phase}=Succeeded")
    wait_until(lambda: inside.do("logs", "reader").out == "sesame", "the log of a Pod")


def test_a_job_with_a_native_sidecar_ends(inside: Kubectl) -> None:
    """The sidecar is started first, its startup probe is waited for, and it does not keep the Job from its end."""
    shared = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    probe = {"exec": {"command": ["test", "-e", "/shared/up"]}, "periodSeconds": 1}
    sidecar = container(
        "sidecar", f"sleep 1; touch /shared/up; {SLEEP}", restartPolicy="Always", startupProbe=probe, **shared
    )
    main = container("main", "test -e /shared/up", **shared)
    volumes = [{"name": "shared", "emptyDir": {}}]
    spec = pod_spec([main], initContainers=[sidecar], volumes=volumes, restartPolicy="Never")
    job = {"template": {"spec": spec}, "backoffLimit": 0}
    inside.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "build"}, "spec": job})
    wait_for(inside, "job/build", "condition=Complete")


def test_every_program_of_the_node_still_runs(node: Node) -> None:
    assert node.find_ended() == []
