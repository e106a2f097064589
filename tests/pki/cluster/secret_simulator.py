"""kube-apiserver's side of one Secret and one webhook configuration, over real HTTP: versions, conflicts, patches."""

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubernetes.client import ApiClient, Configuration, CoreV1Api

SECRETS = "/api/v1/namespaces/copa-system/secrets"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gate"


@dataclass
class SecretSimulator:
    """One Secret, `tls`, and one configuration, `gate`.

    Attributes:
        secret: as JSON has it; None where there is none.
        configuration: the same.
        statuses: method and kind, such as `PUT secret`, → status that is answered instead.
        requests: what was asked, in order.
        clock: its own, aware UTC.
    """

    secret: dict[str, Any] | None = None
    configuration: dict[str, Any] | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    url: str = ""
    _version: int = 100
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, values: Mapping[str, bytes], **annotations: str) -> None:
        """Write the Secret by hand."""
        data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        metadata = {"name": "tls", "annotations": annotations, "labels": {"app": "gate"}}
        self.secret = self._date({"metadata": metadata, "type": "kubernetes.io/tls", "data": data})

    def configure(self, *bundles: bytes | None) -> None:
        """Write the configuration by hand, a webhook a caBundle; None where it has none."""
        coded = [{} if each is None else {"caBundle": base64.b64encode(each).decode()} for each in bundles]
        webhooks = [
            {"name": f"{n}.gate", "clientConfig": {"url": "https://gate", **each}} for n, each in enumerate(coded)
        ]
        self.configuration = {"metadata": {"name": "gate"}, "webhooks": webhooks}

    def values(self) -> dict[str, bytes]:
        return {key: base64.b64decode(value) for key, value in (self.secret or {}).get("data", {}).items()}

    def bundles(self) -> list[bytes]:
        webhooks = (self.configuration or {})["webhooks"]
        return [base64.b64decode(webhook["clientConfig"].get("caBundle", "")) for webhook in webhooks]

    def make_api(self) -> CoreV1Api:
        configuration = Configuration()
        configuration.host = self.url
        configuration.retries = False
        return CoreV1Api(ApiClient(configuration))

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON is what it is
        kind = "secret" if path.startswith(SECRETS) else "configuration"
        with self._lock:
            self.requests.append(f"{method} {kind}")
            if status := self.statuses.get(f"{method} {kind}"):
                return status, {}
            return self._secret(method, body) if kind == "secret" else self._configuration(method, body)

    def _secret(self, method: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401
        if method == "POST":
            if self.secret:
                return 409, {}
            self.secret = self._date(body)
        elif self.secret is None:
            return 404, {}
        elif method == "PUT":
            if body["metadata"]["resourceVersion"] != self.secret["metadata"]["resourceVersion"]:
                return 409, {}
            self.secret = self._date(body)
        return 200, self.secret

    def _configuration(self, method: str, patch: Any) -> tuple[int, Any]:  # noqa: ANN401
        if self.configuration is None:
            return 404, {}
        changed = json.loads(json.dumps(self.configuration))
        for operation in patch if method == "PATCH" else []:
            *path, last = [int(part) if part.isdecimal() else part for part in operation["path"].split("/")[1:]]
            place = changed
            for part in path:
                place = place[part]
            if operation["op"] == "test" and place[last] != operation["value"]:
                return 422, {}
            place[last] = operation["value"]
        self.configuration = changed
        return 200, changed

    def _date(self, obj: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        return obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self._version)}}


@contextlib.contextmanager
def run_secret_simulator() -> Iterator[SecretSimulator]:
    """Run it until the block ends."""
    simulator = SecretSimulator()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = simulator.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_PATCH = _answer  # noqa: N815 -- the library's names

        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp
            return format_datetime(simulator.clock(), usegmt=True)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    simulator.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield simulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
