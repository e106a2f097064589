"""Has a real kube-apiserver answer 429 to one user, by its own API Priority and Fairness."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from typing import Any

from tests.plane.control_plane import Plane, wait_until

NAME = "shut-out"
API_VERSION = "flowcontrol.apiserver.k8s.io/v1"
NO_SEAT = {
    "nominalConcurrencyShares": 0,
    "lendablePercent": 0,
    "borrowingLimitPercent": 0,
    "limitResponse": {"type": "Reject"},
}
ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}


@contextmanager
def shut_out(plane: Plane, user: str, namespace: str) -> Iterator[None]:
    """Answer a user 429 until the block ends. It must be one who may create Events in the namespace.

    A level without seats still serves one request at a time (k8s.io/apiserver, fairqueuing/queueset,
    canAccommodateSeats): an Event whose end never comes keeps it busy.
    """
    level = _make("PriorityLevelConfiguration", {"type": "Limited", "limited": NO_SEAT})
    schema = {
        "priorityLevelConfiguration": {"name": NAME},
        "matchingPrecedence": 2,
        "rules": [{"subjects": [{"kind": "User", "user": {"name": user}}], "resourceRules": [ALL]}],
    }
    busy = _connect(plane, user)
    for obj in (level, _make("FlowSchema", schema)):
        plane.kubectl.do("create", "-f", "-", given=obj)
    try:
        wait_until(lambda: _find_level(plane, user), "a level of its own")
        busy.putrequest("POST", f"/api/v1/namespaces/{namespace}/events")
        busy.putheader("Content-Type", "application/json")
        busy.putheader("Content-Length", "1000")
        busy.endheaders(b"{")
        wait_until(lambda: _ask(plane, user)[0] == 429, "429")
        yield
    finally:
        busy.close()
        plane.kubectl.do("delete", "flowschema,prioritylevelconfiguration", NAME)


def _make(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": NAME}, "spec": spec}


def _find_level(plane: Plane, user: str) -> bool:
    """Tell whether the user's requests are of the level that was made."""
    made = plane.kubectl.get("prioritylevelconfiguration", NAME)["metadata"]["uid"]
    return _ask(plane, user)[1] == str(made)


def _ask(plane: Plane, user: str) -> tuple[int, str | None]:
    """Ask as the user; gives the status, and the level that the request was of."""
    connection = _connect(plane, user)
    try:
        connection.request("GET", "/api/v1/namespaces/default/configmaps")
        response = connection.getresponse()
        return response.status, response.getheader("X-Kubernetes-Pf-Prioritylevel-Uid")
    finally:
        connection.close()


def _connect(plane: Plane, user: str) -> HTTPSConnection:
    return HTTPSConnection(plane.server.removeprefix("https://"), context=plane.credentials.trust_as(user), timeout=180)
