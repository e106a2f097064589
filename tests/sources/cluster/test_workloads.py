"""Listing workloads through faults of kube-apiserver: pages that are too old, refusals, nonsense. The rest is seen on
a real one (tests/plane/test_discover.py).
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.client import ApiClient, Configuration, CoreV1Api

from patchgate.errors import SourceError
from patchgate.sources.cluster.workloads import list_workloads


@dataclass
class Workloads:
    """Serves objects by resource, one a page, and what is to go wrong.

    Attributes:
        objects: resource → objects.
        once: statuses that pages after the first are answered with, one after the other, before all is well.
        status: of every answer.
        asked: the query of each request for Pods.
    """

    objects: dict[str, list[dict[str, Any]]]
    once: list[int] = field(default_factory=list)
    status: int = 200
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        url = urlsplit(path)
        resource, query = url.path.rpartition("/")[2], parse_qs(url.query)
        if resource == "pods":
            self.asked.append(query)
        page = int(query.get("continue", ["0"])[0])
        if page and self.once:
            return self.once.pop(0), {}
        objects = self.objects.get(resource, [])
        more = {"continue": str(page + 1)} if page + 1 < len(objects) else {}
        return self.status, {"metadata": more, "items": objects[page : page + 1] or None}

    @contextlib.contextmanager
    def served(self) -> Iterator[CoreV1Api]:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            status, content = self.answer(handler.path)
            body = json.dumps(content).encode()
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        quiet = {"do_GET": answer, "log_message": lambda *_: None}
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (BaseHTTPRequestHandler,), quiet))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        configuration = Configuration(host=f"http://127.0.0.1:{server.server_port}")
        configuration.retries = False  # as `make_client` has it
        try:
            with ApiClient(configuration) as client:
                yield CoreV1Api(client)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def obj(name: str, owner: tuple[str, str] | None = None, **fields: object) -> dict[str, Any]:
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"metadata": {"name": name, "namespace": "shop", "ownerReferences": references}, **fields}


def find(workloads: Workloads, namespace: str | None = None) -> list[str]:
    with workloads.served() as api:
        return [found.workload for found in list_workloads(api, namespace)]


def test_pages_that_have_become_too_old_are_listed_anew() -> None:
    workloads = Workloads({"pods": [obj("a"), obj("b"), obj("c")]}, once=[410, 410])
    assert set(find(workloads)) == {"Pod shop/a", "Pod shop/b", "Pod shop/c"}
    assert [query.get("continue") for query in workloads.asked][-3:] == [None, ["1"], ["2"]]


def test_a_list_that_is_too_old_for_ever_is_given_up() -> None:
    with pytest.raises(SourceError, match=r"does not list pods: it answers 410"):
        find(Workloads({"pods": [obj("a"), obj("b")]}, once=[410] * 9))


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, r"may not list replicasets \(403\): give a ClusterRole with list on pods"),
        (429, "too busy to list replicasets"),
        (500, "does not list replicasets: it answers 500"),
    ],
)
def test_a_refusal_says_what_was_refused(status: int, line: str) -> None:
    with pytest.raises(SourceError, match=line):
        find(Workloads({}, status=status))


def test_a_namespace_is_named_where_one_alone_is_listed() -> None:
    with pytest.raises(SourceError, match="list replicasets in shop"):
        find(Workloads({}, status=403), "shop")


def test_an_owner_that_somebody_made_up_is_fit_to_show() -> None:
    pods = [obj("a", ("\x9b31mKind", "\ud800" * 300))]
    (name,) = find(Workloads({"pods": pods}))
    assert name.isprintable()
    assert len(name) <= 200


def test_what_a_controller_made_is_told_under_the_name_that_people_gave() -> None:
    ended: dict[str, object] = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    workloads = Workloads(
        {
            "replicasets": [
                obj("web-1", ("Deployment", "web")),
                obj("roll-1", ("Rollout", "roll")),
                obj("old", spec={"replicas": 0}),
            ],
            "jobs": [obj("nightly-1", ("CronJob", "nightly")), obj("done", None, **ended)],
            "pods": [
                obj("web-1-x", ("ReplicaSet", "web-1")),
                obj("nightly-1-x", ("Job", "nightly-1")),
                obj("etcd", ("Node", "n1")),
                obj("db-0", ("Cluster", "db")),
            ],
        }
    )
    assert find(workloads) == [
        "Rollout shop/roll",
        "Deployment shop/web",
        "CronJob shop/nightly",
        "Pod shop/etcd",
        "Cluster shop/db",
    ]


def test_pods_that_have_ended_are_not_asked_for() -> None:
    workloads = Workloads({})
    assert find(workloads) == []
    assert workloads.asked[0]["fieldSelector"] == ["status.phase!=Succeeded,status.phase!=Failed"]
    assert workloads.asked[0]["limit"] == ["500"]
