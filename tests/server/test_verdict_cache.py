"""Remembered verdicts: the same as fresh ones, at any time, for whoever asks."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image
from patchgate.server.verdict_cache import VerdictCache
from tests.world import NOW, clean, digest, exceptions, hours_ago, image_list, patched, record, records, snapshot

API = "registry.example.com/myapp/api"
LIST = image_list(f"{API}:1", f"{API}:2", f"{API}:3", patch_sla_hours="30")
RECORDS = records(
    {
        f"{API}:1": patched(f"{API}:1-patched-20260509", verified=hours_ago(12)),
        f"{API}:2": clean(f"{API}:2", source_digest=digest("two"), approved_digest=digest("two"), earlier_sources=[]),
        f"{API}:3": record(source_digest=digest("three")),
    }
)
EXCEPTIONS = exceptions(
    f"- {{image: 'docker.io/**', namespaces: [shop], reason: r, owner: o, expires: '{hours_ago(-2)}'}}\n"
    f"- {{image: '{API}:*', reason: r, owner: o, expires: '{hours_ago(20)}'}}\n"
)
WORLDS = [snapshot(LIST, RECORDS, EXCEPTIONS), snapshot(LIST, RECORDS)]
IMAGES = [
    "nginx",
    f"{API}:1-patched-20260509",
    f"{API}@{digest('patched')}",
    f"{API}:1",
    f"{API}:2",
    f"{API}:3",
    f"{API}:9",
    "@",
]

QUESTIONS = st.tuples(
    st.builds(Image, st.sampled_from(IMAGES), st.sampled_from([None, "Always", "IfNotPresent"])),
    st.sampled_from(WORLDS),
    st.builds(Asker, st.sampled_from([None, "shop", "staging"]), st.booleans()),
    st.integers(-40 * 3600, 40 * 3600).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


@settings(max_examples=300)
@given(st.lists(QUESTIONS, max_size=60))
def test_a_remembered_verdict_is_the_one_that_would_be_given_now_whichever_way_the_clock_goes(
    questions: list[tuple[Image, Snapshot, Asker, object]],
) -> None:
    cache = VerdictCache(size=8)
    for image, world, asker, now in questions:
        assert cache.decide(image, world, asker, now) == decide(image, world, asker, now)  # type: ignore[arg-type] # a time


@pytest.mark.parametrize("image", ["nginx", f"{API}:1-patched-20260509", f"{API}@{digest('patched')}", f"{API}:1"])
def test_what_holds_for_a_while_is_remembered(image: str) -> None:
    cache = VerdictCache()
    first = cache.decide(Image(image), WORLDS[1], Asker(), NOW)
    assert cache.decide(Image(image), WORLDS[1], Asker(), NOW + timedelta(hours=1)) is first


@pytest.mark.parametrize("image", [f"{API}:3", f"{API}:9", "@"])
def test_what_does_not_say_until_when_it_holds_is_decided_anew(image: str) -> None:
    cache = VerdictCache()
    first = cache.decide(Image(image), WORLDS[1], Asker(), NOW)
    assert cache.decide(Image(image), WORLDS[1], Asker(), NOW) is not first


def test_of_many_images_those_asked_for_again_and_again_stay_and_the_others_go() -> None:
    cache = VerdictCache(size=8)
    hot, first = (cache.decide(Image(image), WORLDS[1], Asker(), NOW) for image in ("hot", "cold-0"))
    for number in range(1, 100):
        cache.decide(Image(f"cold-{number}"), WORLDS[1], Asker(), NOW)
        assert cache.decide(Image("hot"), WORLDS[1], Asker(), NOW) is hot
    assert cache.decide(Image("cold-0"), WORLDS[1], Asker(), NOW) is not first


def test_no_more_is_remembered_than_was_said() -> None:
    cache = VerdictCache(size=8)
    images = [Image(f"app-{number}") for number in range(100)]
    given = [cache.decide(image, WORLDS[1], Asker(), NOW) for image in images]
    again = [cache.decide(image, WORLDS[1], Asker(), NOW) for image in reversed(images)]
    assert sum(one is other for one, other in zip(given, reversed(again), strict=True)) <= 8


@pytest.mark.parametrize(
    ("image", "asker"), [(Image("nginx"), Asker("n" * 64)), (Image("nginx", "Sometimes"), Asker("shop"))]
)
def test_nothing_is_remembered_for_a_caller_whose_words_have_no_bound(image: Image, asker: Asker) -> None:
    cache = VerdictCache()
    first = cache.decide(image, WORLDS[1], asker, NOW)
    assert cache.decide(image, WORLDS[1], asker, NOW) is not first
