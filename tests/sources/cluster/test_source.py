"""Following a namespace: what is handed over, what is asked for, and every way in which kube-apiserver fails."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest

from patchgate.cluster.pace import Pace
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.errors import SourceError
from patchgate.policy.part import Problem
from patchgate.sources.cluster.contact import Contact
from patchgate.sources.cluster.source import ClusterSource, follow_cluster, read_cluster_once
from patchgate.sources.source import Reading
from tests.conftest import wait_until
from tests.sources.cluster.api_simulator import NAMESPACE, ApiSimulator, run_simulator

PACE = Pace(steady_seconds=0.1, retry_first_seconds=0.02)
"""Asks again sooner than in a cluster."""
IMPATIENT = replace(PACE, connect_seconds=0.5, read_seconds=0.5, silence_seconds=1.5)
"""Soon takes a server for gone: a busy one, too."""
LIST = {"images.txt": "registry.example.com/app:1\n"}
LABEL = {"patchgate.io/image-list": "true"}


@dataclass
class Followed:
    """A source that follows a simulator, and what it has handed over."""

    sim: ApiSimulator
    source: ClusterSource
    taken: list[ConfigMap] = field(default_factory=list)

    def read(self) -> Reading:
        return self.source.read(self.taken.append)

    def take(self) -> list[str]:
        """Read; gives the names of what was handed over."""
        self.taken.clear()
        self.read()
        return sorted(each.name for each in self.taken)

    def find_failure(self) -> str:
        try:
            self.read()
        except SourceError as error:
            return str(error)
        return ""

    def wait_for(self, name: str) -> None:
        """Wait until this one is handed over from now on."""
        self.taken.clear()
        wait_until(lambda: not self.find_failure() and name in [each.name for each in self.taken])


@pytest.fixture
def sim() -> Iterator[ApiSimulator]:
    with run_simulator(ApiSimulator()) as running:
        yield running


@contextlib.contextmanager
def follow(sim: ApiSimulator, pace: Pace = PACE) -> Iterator[Followed]:
    with follow_cluster(sim.make_client(), NAMESPACE, Names().concern, pace) as source:
        yield Followed(sim, source)


@pytest.fixture
def followed(sim: ApiSimulator) -> Iterator[Followed]:
    """A source in step with a main list."""
    sim.put("copa-image-list", LIST)
    with follow(sim) as running:
        assert running.take() == ["copa-image-list"]
        yield running


def test_what_counts_by_name_or_label_is_handed_over_and_nothing_else_is_fetched(sim: ApiSimulator) -> None:
    for name in ("copa-image-list", "copa-patched-digests-7", "copa-patched-digests-8", "kube-root-ca.crt"):
        sim.put(name, LIST)
    sim.put("team", LIST, labels=LABEL)
    sim.put("other-team", LIST, labels={"patchgate.io/image-list": "false"})
    with follow(sim) as followed:
        assert followed.take() == ["copa-image-list", "copa-patched-digests-7", "team"]
    assert ConfigMap("team", LABEL, LIST) in followed.taken
    assert [each for each in sim.requests if each.startswith("get")] == [
        "get copa-image-list",
        "get copa-patched-digests-7",
        "get team",
    ]


def test_no_content_is_listed_or_watched(followed: Followed) -> None:
    wait_until(lambda: "watch" in followed.sim.accepted)
    assert followed.sim.accepted["list"] == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert followed.sim.accepted["watch"] == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def test_an_empty_namespace_is_read_as_such(sim: ApiSimulator) -> None:
    with follow(sim) as followed:
        assert followed.read() == Reading(frozenset(), ())


def test_what_has_not_changed_is_not_handed_over_again(followed: Followed) -> None:
    assert followed.take() == []
    assert followed.read().names == {"copa-image-list"}


def test_a_change_an_addition_and_a_deletion_are_followed(followed: Followed) -> None:
    followed.sim.put("copa-image-list", {"images.txt": "other"})
    followed.wait_for("copa-image-list")
    assert followed.taken[-1].data == {"images.txt": "other"}
    followed.sim.put("team", LIST, labels=LABEL)
    followed.wait_for("team")
    followed.sim.delete("copa-image-list")
    wait_until(lambda: followed.read().names == {"team"})


def test_a_list_that_loses_its_label_is_gone(followed: Followed) -> None:
    followed.sim.put("team", LIST, labels=LABEL)
    followed.wait_for("team")
    followed.sim.put("team", LIST)
    wait_until(lambda: followed.read().names == {"copa-image-list"})


def test_one_that_is_gone_before_it_is_fetched_is_left_out(sim: ApiSimulator) -> None:
    sim.put("copa-image-list", LIST)
    sim.put("copa-exceptions")
    sim.statuses["get"] = 404
    with follow(sim) as followed:
        assert followed.read().names == frozenset()
        del sim.statuses["get"]
        assert followed.take() == ["copa-exceptions", "copa-image-list"]


def test_what_is_forgotten_is_handed_over_again(followed: Followed) -> None:
    followed.source.forget(["copa-image-list", "never-seen"])
    assert followed.take() == ["copa-image-list"]


def test_a_binary_value_is_a_problem_for_as_long_as_it_is_there(followed: Followed) -> None:
    followed.sim.put("team", {}, labels=LABEL, binaryData={"images.txt": "/w=="})
    followed.wait_for("team")
    for _ in range(2):
        assert followed.read().problems == (Problem("team", "images.txt", "is binary: must be a text in UTF-8"),)
    followed.sim.put("team", LIST, labels=LABEL)
    wait_until(lambda: followed.read().problems == ())


def test_words_of_changes_come_and_what_they_tell_of_is_read(sim: ApiSimulator) -> None:
    async def read_after_words(followed: Followed) -> None:
        changes = followed.source.changes()
        followed.sim.put("copa-image-list", LIST)
        async with asyncio.timeout(60):
            async for _ in changes:
                if await asyncio.to_thread(followed.take):
                    return

    with follow(sim) as followed:
        followed.read()
        asyncio.run(read_after_words(followed))
    assert [each.name for each in followed.taken] == ["copa-image-list"]


def test_a_watch_that_is_cut_off_goes_on_where_it_was(followed: Followed) -> None:
    followed.sim.cut()
    followed.sim.put("copa-exceptions")
    followed.wait_for("copa-exceptions")
    assert followed.sim.counts["list"] == 1


def test_after_410_gone_all_is_listed_anew(followed: Followed) -> None:
    wait_until(lambda: followed.sim.counts["watch"] == 1)
    followed.sim.statuses["watch"] = 500
    followed.sim.cut()
    wait_until(lambda: followed.sim.counts["watch"] > 1)
    followed.sim.put("copa-exceptions")
    followed.sim.delete("copa-image-list")
    followed.sim.forget_history()
    del followed.sim.statuses["watch"]
    followed.wait_for("copa-exceptions")
    assert followed.read().names == {"copa-exceptions"}
    assert followed.sim.counts["list"] == 2


def test_what_a_watch_missed_is_made_good_when_it_ends(sim: ApiSimulator) -> None:
    sim.put("copa-image-list", LIST)
    with follow(sim, Pace(watch_seconds=1, watch_jitter_seconds=0)) as followed:
        followed.read()
        sim.miss("copa-image-list", {"images.txt": "restored"})
        followed.wait_for("copa-image-list")


ROLE = "give its service account a Role with get, list and watch on configmaps, create on events"
FAULTS: dict[str, tuple[Callable[[ApiSimulator], object], str]] = {
    "the watch is forbidden": (
        lambda sim: sim.statuses.update(watch=403),
        f"may not watch configmaps in copa-system (403): {ROLE}",
    ),
    "the token is not known": (
        lambda sim: sim.statuses.update(watch=401),
        "URL does not know who asks to watch configmaps in copa-system (401): renew the token or the certificate",
    ),
    "429": (lambda sim: sim.statuses.update(watch=429), "URL is too busy to watch configmaps in copa-system (429)"),
    "500": (lambda sim: sim.statuses.update(watch=500), "URL does not watch configmaps in copa-system: it answers 500"),
    "garbage": (
        lambda sim: sim.garbage.update(watch=b"<html>a proxy's page</html>\n"),
        "URL: the watch ends as soon as it begins",
    ),
    "no object": (lambda sim: sim.garbage.update(watch=b"17\n"), "URL: the watch ends as soon as it begins"),
    "silence": (lambda sim: setattr(sim, "is_frozen", True), "URL does not answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_every_reading_and_is_over_when_it_is_over(sim: ApiSimulator, fault: str) -> None:
    sim.put("copa-image-list", LIST)
    break_it, failure = FAULTS[fault]
    with follow(sim, IMPATIENT if fault == "silence" else PACE) as followed:
        followed.wait_for("copa-image-list")
        break_it(sim)
        if fault != "silence":
            sim.cut()
        wait_until(lambda: followed.find_failure().replace(sim.url, "URL") == failure)
        assert followed.taken[1:] == []
        sim.statuses.clear()
        sim.garbage.clear()
        sim.is_frozen = False
        sim.put("copa-exceptions")
        followed.wait_for("copa-exceptions")


@pytest.mark.parametrize("fault", ["the watch is forbidden", "garbage", "silence"])
def test_a_fault_costs_few_requests(sim: ApiSimulator, fault: str) -> None:
    sim.put("copa-image-list", LIST)
    with follow(sim, Pace(retry_first_seconds=0.2)) as followed:
        followed.read()
        FAULTS[fault][0](sim)
        sim.cut()
        before, began = len(sim.requests), time.monotonic()
        time.sleep(1)
        asked, passed_seconds = len(sim.requests) - before, time.monotonic() - began
    # at once, and after pauses that double: the n-th comes no sooner than after 0.1 * (2^(n-1) - 1) s
    assert asked <= 2 + math.log2(10 * passed_seconds + 1)


def test_a_first_list_that_fails_is_said_and_asked_for_again(sim: ApiSimulator) -> None:
    sim.put("copa-image-list", LIST)
    sim.garbage["list"] = b"<html>a proxy's page</html>"
    with follow(sim) as followed:
        assert followed.find_failure() == f"{sim.url} answers what is no Kubernetes API: JSONDecodeError"
        sim.garbage.clear()
        followed.wait_for("copa-image-list")


def test_a_server_that_never_answered_is_said_to(sim: ApiSimulator) -> None:
    sim.is_frozen = True
    with follow(sim, IMPATIENT) as followed:
        assert followed.find_failure() in {f"{sim.url} does not answer", f"{sim.url} has not answered yet"}
        assert followed.source.contact_age_seconds is None


def test_a_server_that_is_down_is_said_to_and_heard_when_it_is_back() -> None:
    sim = ApiSimulator()
    sim.put("copa-image-list", LIST)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(contextlib.ExitStack())
        first.enter_context(run_simulator(sim))
        followed = stack.enter_context(follow(sim))
        followed.read()
        first.close()
        wait_until(lambda: followed.find_failure() == f"{sim.url} cannot be reached: Connection refused")
        sim.put("copa-exceptions")
        stack.enter_context(run_simulator(sim, urlsplit(sim.url).port or 0))
        followed.wait_for("copa-exceptions")


def test_one_that_cannot_be_fetched_fails_the_reading_and_costs_nothing_that_was_handed_over(
    followed: Followed,
) -> None:
    sim = followed.sim
    sim.put("copa-exceptions")
    sim.put("copa-image-list", {"images.txt": "other"})
    sim.statuses["get"] = 429
    wait_until(lambda: followed.find_failure() == f"{sim.url} is too busy to get configmaps in copa-system (429)")
    sim.statuses.clear()
    followed.wait_for("copa-exceptions")
    assert sorted({each.name for each in followed.taken}) == ["copa-exceptions", "copa-image-list"]


def test_while_one_cannot_be_fetched_few_requests_are_made(sim: ApiSimulator) -> None:
    sim.put("copa-image-list", LIST)
    sim.statuses["get"] = 403
    with follow(sim, Pace(retry_first_seconds=3600, retry_most_seconds=3600)) as followed:
        for _ in range(50):
            assert followed.find_failure().startswith("may not get configmaps in copa-system (403): give its service")
    assert sim.counts["get"] == 1


def test_the_contact_is_as_old_as_the_last_answer(followed: Followed) -> None:
    before = followed.source.contact_age_seconds
    assert before is not None
    time.sleep(0.05)
    now = followed.source.contact_age_seconds
    assert now is not None
    assert now > before
    followed.sim.put("copa-exceptions")
    wait_until(lambda: (followed.source.contact_age_seconds or 99) < now)


def test_a_uid_is_that_of_the_configmap_that_has_the_name_now(followed: Followed) -> None:
    assert followed.source.find_uid("copa-image-list") == "uid-101"
    assert followed.source.find_uid("gone") is None


@pytest.mark.parametrize("is_frozen", [False, True])
def test_when_it_ends_nothing_more_is_asked(sim: ApiSimulator, is_frozen: bool) -> None:
    sim.put("copa-image-list", LIST)
    with follow(sim) as followed:
        followed.read()
        sim.is_frozen = is_frozen
        began = time.monotonic()
    assert time.monotonic() - began < 60  # bounded, whatever the server does
    sim.is_frozen = False
    sim.cut()
    before = len(sim.requests)
    time.sleep(0.3)
    assert len(sim.requests) == before


def test_once_hands_over_everything_that_counts(sim: ApiSimulator) -> None:
    sim.put("copa-image-list", LIST)
    sim.put("other", LIST)
    taken: list[ConfigMap] = []
    reading = read_cluster_once(sim.make_client(), NAMESPACE, Names().concern, taken.append, PACE)
    assert (reading, taken) == (Reading(frozenset({"copa-image-list"}), ()), [ConfigMap("copa-image-list", {}, LIST)])
    assert sim.counts == {"list": 1, "get": 1}


def test_once_that_cannot_list_says_why(sim: ApiSimulator) -> None:
    sim.statuses["list"] = 403
    with pytest.raises(SourceError, match=r"^may not list configmaps in copa-system \(403\): give"):
        read_cluster_once(sim.make_client(), NAMESPACE, Names().concern, lambda _: None, PACE)


def test_metadata_that_no_python_could_hold_stop_nobody(followed: Followed) -> None:
    followed.sim.put(
        "stranger", managedFields=[{"manager": "kubectl", "time": "0000-06-01T00:00:00Z"}], labels={"a": "b"}
    )
    followed.sim.put("copa-exceptions")
    followed.wait_for("copa-exceptions")


def test_watches_that_end_at_once_again_and_again_are_made_good_by_a_list(followed: Followed) -> None:
    followed.sim.garbage["watch"] = b"17\n"
    followed.sim.cut()
    wait_until(lambda: followed.sim.counts["list"] > 1)
    followed.sim.garbage.clear()
    followed.sim.put("copa-exceptions")
    followed.wait_for("copa-exceptions")


def test_a_watch_that_nobody_ended_nor_began_anew_is_no_sign_of_health() -> None:
    contact = Contact(steady_seconds=0, longest_seconds=0)
    contact.begin_watch()
    time.sleep(0.01)
    assert contact.find_failure() == "the watch has ended, and nobody began another: a defect of patchgate, restart it"


def test_who_follows_no_more_ends_what_is_asked(followed: Followed) -> None:
    async def follow_for_a_moment() -> None:
        words = followed.source.changes()
        word = asyncio.ensure_future(anext(words))
        await asyncio.sleep(0)
        word.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await word
        await words.aclose()  # type: ignore[attr-defined] # a generator, though its type says less

    asyncio.run(follow_for_a_moment())
    followed.sim.put("copa-exceptions")
    followed.source.forget(["copa-image-list"])
    with pytest.raises(SourceError, match="the gate ends"):
        followed.source.read(followed.taken.append)
