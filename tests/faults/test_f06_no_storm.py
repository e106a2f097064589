"""F6: twenty gates lose kube-apiserver at the same moment, and come back to it one by one."""

import logging
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

import pytest

from patchgate.cluster.client import make_client
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.sources.cluster.source import ClusterSource, follow_cluster
from tests.plane.control_plane import Plane, wait_until
from tests.world import NAMES

pytestmark = pytest.mark.usefixtures("in_network")

FOLLOWERS = 20
PACE = Pace(retry_first_seconds=10, retry_most_seconds=10)
"""Every pause is the longest one, and longer than a start of kube-apiserver."""
WINDOW = timedelta(seconds=0.5)
"""A tenth of what a pause is jittered over (5 to 10 s): of twenty that know no jitter, all come in one."""


def follows(source: ClusterSource) -> bool:
    try:
        source.read(lambda _: None)
    except SourceError:
        return False
    return True


def test_twenty_that_follow_come_back_apart(
    own_plane: Plane, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "kubernetes.informer.informer")  # as the gate has it
    kubectl = own_plane.make_namespace("storm")
    kubectl.do("create", "role", "storm", "--verb=get,list,watch", "--resource=configmaps")
    kubectl.do("create", "rolebinding", "storm", "--role=storm", "--user=gate-storm")
    monkeypatch.setenv("KUBECONFIG", str(own_plane.credentials.write_kubeconfig(own_plane.server, "gate-storm")))
    monkeypatch.setattr("patchgate.sources.cluster.source.STOP_SECONDS", 0)  # for each of them
    with ExitStack() as stack:
        start = partial(follow_cluster, namespace="storm", concerns=NAMES.concern, pace=PACE)
        sources = [stack.enter_context(start(make_client())) for _ in range(FOLLOWERS)]
        wait_until(lambda: all(map(follows, sources)), "all follow")
        before = len(list_requests(own_plane))
        own_plane.api_server.end()
        try:
            wait_until(lambda: not any(map(follows, sources)), "none follows")
        finally:
            own_plane.api_server.start()
        wait_until(lambda: all(map(follows, sources)), "all follow again")
    back = list_requests(own_plane)[before:]
    verbs = Counter(verb for _, verb in back)
    assert verbs["watch"] >= FOLLOWERS  # of each; one whose watch goes on from where it was lists nothing
    assert verbs["list"] <= 4 * FOLLOWERS
    assert max(sum(first <= each < first + WINDOW for each, _ in back) for first, _ in back) <= FOLLOWERS / 2


def list_requests(plane: Plane) -> list[tuple[datetime, str]]:
    """When kube-apiserver was asked by them for a list or a watch, in order."""
    events = {event["auditID"]: event for event in plane.read_audit_of("gate-storm")}  # a watch has one for each stage
    return sorted((datetime.fromisoformat(each["requestReceivedTimestamp"]), each["verb"]) for each in events.values())
