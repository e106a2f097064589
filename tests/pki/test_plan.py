"""The rotation plan as a table: what is there, what is done next; and a CA's whole life, step by step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from patchgate.pki.contents import Contents
from patchgate.pki.issue import Pair
from patchgate.pki.plan import (
    Step,
    Trust,
    choose_bundle,
    choose_served,
    choose_signer,
    find_dropped,
    is_trusted,
    plan,
)
from patchgate.pki.renew import Renewal
from tests.pki.material import LIVES, NAME, NOW, hold, make_ca, make_contents

OLD, NEW, OTHER = make_ca(700), make_ca(1), make_ca(2)
EXPIRED = make_ca(901)


def trust(*settled: Pair, anywhere: tuple[Pair, ...] = (), serving: tuple[Pair, ...] = ()) -> Trust:
    """Every webhook's callers trust these, and have for long; some of them others too."""
    everywhere = frozenset(pair.certificate for pair in settled)
    more = frozenset(pair.certificate for pair in anywhere)
    return Trust(everywhere, everywhere | more, everywhere, frozenset(pair.certificate for pair in serving))


YOUNG = make_contents(NEW)
TABLE: dict[str, tuple[Contents, Trust, Step]] = {
    "nothing": (Contents(), trust(), Step.ISSUE_ALL),
    "garbage": (Contents(*[b"garbage"] * 5), trust(OLD), Step.ISSUE_ALL),
    "a CA without its key": (replace(YOUNG, ca_keys=b""), trust(NEW), Step.ISSUE_ALL),
    "another CA's key": (replace(YOUNG, ca_keys=OTHER.key_pem), trust(NEW), Step.ISSUE_ALL),
    "a CA that has expired": (make_contents(EXPIRED), trust(EXPIRED), Step.ISSUE_ALL),
    "all well": (YOUNG, trust(NEW), Step.KEEP),
    "all well, and no webhook": (YOUNG, Trust(settled=trust(NEW).settled), Step.KEEP),
    "no leaf": (replace(YOUNG, certificate=b""), trust(NEW), Step.ISSUE_LEAF),
    "another's key": (replace(YOUNG, key=OTHER.key_pem), trust(NEW), Step.ISSUE_LEAF),
    "another name": (make_contents(NEW, name="other.svc"), trust(NEW), Step.ISSUE_LEAF),
    "a leaf of a CA that is not there": (
        replace(YOUNG, ca=make_contents(OTHER).ca, ca_keys=OTHER.key_pem),
        trust(OTHER),
        Step.ISSUE_LEAF,
    ),
    "a leaf at less than two thirds of its life": (make_contents(NEW, leaf_age_days=59), trust(NEW), Step.KEEP),
    "a leaf at two thirds of its life": (make_contents(NEW, leaf_age_days=60), trust(NEW), Step.ISSUE_LEAF),
    "a leaf that has expired": (make_contents(NEW, leaf_age_days=91), trust(NEW), Step.ISSUE_LEAF),
    "a CA at two thirds of its life": (make_contents(OLD), trust(OLD), Step.ADD_CA),
    "the same, not yet settled": (make_contents(OLD), trust(), Step.KEEP),
    "the next CA is not settled": (make_contents(OLD, NEW, keys=(OLD, NEW)), trust(OLD), Step.KEEP),
    "the next CA is in some caBundles": (
        make_contents(OLD, NEW, keys=(OLD, NEW)),
        trust(OLD, anywhere=(NEW,)),
        Step.KEEP,
    ),
    "the next CA is settled": (make_contents(OLD, NEW, keys=(OLD, NEW)), trust(OLD, NEW), Step.ISSUE_LEAF),
    "the next CA is not settled, the leaf is due": (
        make_contents(OLD, NEW, keys=(OLD, NEW), leaf_age_days=61),
        trust(OLD),
        Step.ISSUE_LEAF,
    ),
    "a CA in a caBundle that ca.crt lacks": (YOUNG, trust(NEW, anywhere=(OLD,)), Step.CARRY),
    "a CA that a replica serves by and ca.crt lacks": (YOUNG, trust(NEW, serving=(OLD,)), Step.CARRY),
    "an expired CA in a caBundle": (YOUNG, trust(NEW, anywhere=(EXPIRED,)), Step.KEEP),
    "the old CA, soon after the change": (
        make_contents(NEW, OLD, changed_days_ago=89),
        trust(NEW, OLD),
        Step.KEEP,
    ),
    "the old CA, a leaf's life after the change, still in the caBundle": (
        make_contents(NEW, OLD, changed_days_ago=91),
        trust(NEW, OLD),
        Step.KEEP,
    ),
    "the old CA, a leaf's life after the change, out of the caBundle": (
        make_contents(NEW, OLD, changed_days_ago=91),
        trust(NEW),
        Step.DROP,
    ),
    "the old CA, and nobody knows since when": (
        make_contents(NEW, OLD, changed_days_ago=None),
        trust(NEW, OLD),
        Step.KEEP,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_is_there_says_what_is_done_next(case: str) -> None:
    contents, trusted, step = TABLE[case]
    assert plan(hold(contents), None, trusted, NOW, LIVES) is step


@pytest.mark.parametrize("contents", [Contents(), Contents(*[b"garbage"] * 5)])
def test_what_was_whole_is_written_back_as_long_as_its_ca_lives(contents: Contents) -> None:
    held = hold(contents)
    assert plan(held, hold(YOUNG), trust(NEW), NOW, LIVES) is Step.RESTORE
    assert plan(held, hold(make_contents(EXPIRED)), trust(NEW), NOW, LIVES) is Step.ISSUE_ALL


def test_every_step_leads_on_until_nothing_is_left_to_do() -> None:
    for contents, trusted, _ in TABLE.values():
        steps = 0
        while (step := plan(hold(contents), None, trusted, NOW, LIVES)) is not Step.KEEP:
            renewal = Renewal((NAME,), LIVES, NOW)
            contents = renewal.carry_out(step, contents, hold(contents), trusted, contents)  # noqa: PLW2901
            steps += 1
            assert steps <= 3
        assert hold(contents).fault == ""


def test_a_ca_rolls_without_a_moment_at_which_a_leaf_is_not_trusted() -> None:
    """A year and a half a day at a time: the caBundle follows ca.crt a day late, a replica follows the leaf."""
    contents, now = Contents(), NOW
    bundle: frozenset[object] = frozenset()
    served, cas, sizes = None, set(), set()
    for day in range(1800):
        now = NOW + timedelta(days=day)
        held = hold(contents, now)
        certificates = frozenset(each for each in held.trusted if each in bundle)
        view = Trust(certificates, certificates, certificates)
        step = plan(held, None, view, now, LIVES)
        contents = Renewal((NAME,), LIVES, now).carry_out(step, contents, held, view, contents)
        held = hold(contents, now)
        served = choose_served(served, held.leaf, view, now)
        assert served
        assert day < 2 or is_trusted(served, view)
        assert served.expires > now
        bundle = frozenset(choose_bundle(held, view, now, LIVES))
        cas.add(held.authorities[0].certificate)
        sizes.add(len(bundle))
    assert len(cas) == 3
    assert sizes == {1, 2}


def test_the_signer_is_the_newest_ca_that_callers_have_heard_of() -> None:
    held = hold(make_contents(OLD, NEW, keys=(OLD, NEW)))
    assert choose_signer(held, trust(OLD)).certificate == OLD.certificate
    assert choose_signer(held, trust(OLD, NEW)).certificate == NEW.certificate
    assert choose_signer(held, trust()).certificate == OLD.certificate


def test_with_the_new_cas_first_leaf_the_old_cas_key_goes_and_its_certificate_stays() -> None:
    contents = make_contents(OLD, NEW, keys=(OLD, NEW))
    after = Renewal((NAME,), LIVES, NOW).carry_out(Step.ISSUE_LEAF, contents, hold(contents), trust(OLD, NEW), contents)
    held = hold(after)
    assert [pair.certificate for pair in held.authorities] == [NEW.certificate]
    assert set(held.trusted) == {OLD.certificate, NEW.certificate}
    assert held.changed == NOW
    assert OLD.key_pem not in after.ca_keys


def test_a_renewed_leaf_leaves_the_time_of_the_change_as_it_was() -> None:
    contents = make_contents(NEW, OLD, changed_days_ago=50, leaf_age_days=61)
    after = Renewal((NAME,), LIVES, NOW).carry_out(Step.ISSUE_LEAF, contents, hold(contents), trust(NEW), contents)
    assert after.changed == contents.changed
    assert find_dropped(hold(after), NOW + timedelta(days=41), LIVES) == {OLD.certificate}


LEAF = hold(YOUNG).leaf
OLD_LEAF = hold(make_contents(OLD)).leaf


@pytest.mark.parametrize(
    ("served", "offered", "trusted", "chosen"),
    [
        (None, LEAF, trust(), LEAF),
        (LEAF, None, trust(), LEAF),
        (OLD_LEAF, LEAF, trust(OLD), OLD_LEAF),
        (OLD_LEAF, LEAF, trust(OLD, NEW), LEAF),
        (OLD_LEAF, LEAF, trust(NEW), LEAF),
        (OLD_LEAF, LEAF, trust(anywhere=(OLD,)), OLD_LEAF),
        (OLD_LEAF, LEAF, trust(), LEAF),
        (OLD_LEAF, LEAF, Trust(), LEAF),
    ],
    ids=[
        "the first",
        "none",
        "a CA not heard of",
        "a settled CA",
        "the old one lost",
        "the old one lost by some",
        "nobody trusts either",
        "no webhook",
    ],
)
def test_a_leaf_waits_for_its_ca_as_long_as_the_one_before_is_good(
    served: object, offered: object, trusted: Trust, chosen: object
) -> None:
    assert choose_served(served, offered, trusted, NOW) == chosen  # type: ignore[arg-type] # leaves, or none


def test_a_leaf_that_has_expired_waits_for_nothing() -> None:
    assert choose_served(OLD_LEAF, LEAF, trust(OLD), NOW + timedelta(days=95)) == LEAF
