"""kube-apiserver's side of list, watch, get and create, over real HTTP, with the faults that a real one has.

It works: a test changes ConfigMaps here and runs the real client against it. What it answers was taken from
kube-apiserver 1.37: `PartialObjectMetadata` for lists and watches, `items: null` for none, ERROR events with a Status.
"""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes.client import ApiClient, Configuration, CoreV1Api

NAMESPACE = "copa-system"
BASE = f"/api/v1/namespaces/{NAMESPACE}"
_TICK_SECONDS = 0.02
DROPPED = 1
"""A status that is none: the connection is closed without an answer."""


@dataclass
class ApiSimulator:
    """The ConfigMaps of a namespace, the events since it was made, and what is wrong.

    Attributes:
        statuses: verb → status that is answered instead.
        once: verb → statuses that are answered instead, one after the other, before all is well.
        lost_answers: how many updates are made whose answer never comes.
        headers: of what is answered with such a status.
        before: called when a request has come, with its verb.
        garbage: what a watch, or a list, answers instead.
        is_frozen: connections are taken, and nothing is ever answered: what SIGSTOP looks like.
        requests: verbs asked, in order; a get with its name.
        accepted: verb → the representation asked for.
        events: what was created.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    once: dict[str, list[int]] = field(default_factory=dict)
    lost_answers: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _: None
    garbage: dict[str, bytes] = field(default_factory=dict)
    is_frozen: bool = False
    requests: list[str] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    configmaps: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""
    _version: int = 100
    _changes: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    _oldest: int = 0
    _cuts: int = 0

    def put(self, name: str, data: Mapping[str, str] | None = None, **fields: object) -> None:
        """Make or change a ConfigMap. fields: labels, managedFields, binaryData."""
        before = self.configmaps.get(name)
        self._version += 1
        metadata = {"name": name, "namespace": NAMESPACE, "labels": fields.pop("labels", None)}
        metadata |= {"uid": before["metadata"]["uid"] if before else f"uid-{self._version}"}
        metadata |= {"resourceVersion": str(self._version), "managedFields": fields.pop("managedFields", None)}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data or {}), **fields}
        self.configmaps[name] = obj
        self._changes.append((self._version, "MODIFIED" if before else "ADDED", obj))

    def replace(self, name: str, obj: dict[str, Any]) -> int:
        """Change a ConfigMap as a PUT does; gives the status."""
        known = self.configmaps.get(name)
        if known is None:
            return 404
        if obj["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
            return 409
        self._version += 1
        self.configmaps[name] = obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self._version)}}
        self._changes.append((self._version, "MODIFIED", self.configmaps[name]))
        return 200

    def delete(self, name: str) -> None:
        self._version += 1
        obj = self.configmaps.pop(name)
        obj = obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self._version)}}
        self._changes.append((self._version, "DELETED", obj))

    def cut(self) -> None:
        """Break every watch off, as a restart does."""
        self._cuts += 1

    def forget_history(self) -> None:
        """Compact: a watch from before now is 410 Gone. What is cut off meanwhile misses what happens next."""
        self._changes.clear()
        self._oldest = self._version + 1

    def miss(self, name: str, data: Mapping[str, str]) -> None:
        """Change a ConfigMap without any event, as a store restored from a backup does."""
        self.put(name, data)
        self._changes.pop()

    def make_client(self) -> CoreV1Api:
        configuration = Configuration(host=self.url)
        configuration.retries = False
        return CoreV1Api(ApiClient(configuration))

    @property
    def counts(self) -> Counter[str]:
        return Counter(request.split()[0] for request in self.requests)

    def list_events(self, version: int) -> list[tuple[int, str, dict[str, Any]]]:
        return [change for change in list(self._changes) if change[0] > version]

    def answer_watch(self, version: int, timeout_seconds: float) -> Iterator[bytes]:
        """Give the lines of a watch until its time is over, or it is cut."""
        if version < self._oldest - 1:
            status = {"kind": "Status", "code": 410, "reason": "Expired", "message": f"too old: {version}"}
            yield json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
            return
        ends_at, cuts = time.monotonic() + timeout_seconds, self._cuts
        while time.monotonic() < ends_at:
            if self._cuts != cuts:
                raise ConnectionAbortedError
            for number, kind, obj in [] if self.is_frozen else self.list_events(version):
                version = number
                yield json.dumps({"type": kind, "object": strip(obj)}).encode() + b"\n"
            time.sleep(_TICK_SECONDS)

    def list_all(self) -> bytes:
        items = [strip(obj) for obj in self.configmaps.values()]
        metadata = {"resourceVersion": str(self._version)}
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return json.dumps(head | {"items": items or None}).encode()


def strip(obj: dict[str, Any]) -> dict[str, Any]:
    """Give an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sim: ApiSimulator
    ended: threading.Event

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: texts[-1] for name, texts in parse_qs(url.query).items()}
        name = url.path.removeprefix(f"{BASE}/configmaps").strip("/")
        verb = "get" if name else "watch" if query.get("watch") else "list"
        self.sim.requests.append(f"{verb} {name}".strip())
        self.sim.accepted[verb] = self.headers["Accept"]
        if self._is_refused(verb):
            return
        if verb == "watch":
            self._stream(query)
        elif verb == "list":
            self._answer(200, self.sim.garbage.get("list", self.sim.list_all()))
        elif obj := self.sim.configmaps.get(name):
            self._answer(200, json.dumps(obj).encode())
        else:
            self._answer(404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.sim.requests.append("create")
        if self._is_refused("create"):
            return
        if any(each["metadata"]["name"] == body["metadata"]["name"] for each in self.sim.events):
            self._answer(409)
            return
        self.sim.events.append(body)
        self._answer(201, json.dumps(body).encode())

    def do_PUT(self) -> None:
        name = urlsplit(self.path).path.rpartition("/")[2]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.sim.requests.append(f"update {name}")
        if self._is_refused("update"):
            return
        status = self.sim.replace(name, body)
        if self.sim.lost_answers:
            self.sim.lost_answers -= 1
            self.close_connection = True
            return
        self._answer(status, json.dumps(self.sim.configmaps[name]).encode() if status == 200 else b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_refused(self, verb: str) -> bool:
        while self.sim.is_frozen and not self.ended.wait(_TICK_SECONDS):
            pass
        self.sim.before(verb)
        status = self.sim.statuses.get(verb) or next(iter(self.sim.once.get(verb, ())), None)
        if verb not in self.sim.statuses and status:
            del self.sim.once[verb][0]
        if status == DROPPED:
            self.close_connection = True
            return True
        if status:
            self._answer(status, headers=self.sim.headers)
            return True
        return False

    def _answer(
        self, status: int, body: bytes = b'{"kind":"Status"}', headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, query: Mapping[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        garbage = self.sim.garbage.get("watch")
        lines = self.sim.answer_watch(int(query["resourceVersion"]), float(query["timeoutSeconds"]))
        try:
            for line in [garbage] if garbage else lines:
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                if self.ended.is_set():
                    return
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True


@contextlib.contextmanager
def run_simulator(sim: ApiSimulator, port: int = 0) -> Iterator[ApiSimulator]:
    """Serve until the block ends; connections that are open then are broken off."""
    ended = threading.Event()

    class Handler(_Handler):
        pass

    Handler.sim, Handler.ended = sim, ended
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        sim.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(_TICK_SECONDS,))
        thread.start()
        try:
            yield sim
        finally:
            ended.set()
            sim.cut()
            server.shutdown()
            thread.join()
