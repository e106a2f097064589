"""The rotation plan: from what is there, what to do next. Pure; asks nobody, does nothing.

What it never lets happen is that a valid caller is refused:

- a CA is trusted before a leaf of it is served: it comes into `ca.crt`, from there into the caBundle of every webhook,
  and signs the leaf once it was read back there for long enough that every kube-apiserver has heard (it is settled);
- a CA is trusted as long as a leaf of it may be served: what somebody else took out of `ca.crt`, while a caBundle holds
  it or a replica serves by it, is carried over, and dropped a leaf's life after the newest CA took over.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from patchgate.pki.contents import Held, Leaf
from patchgate.pki.issue import Pair
from patchgate.pki.lives import Lives, is_due, is_valid
from patchgate.pki.pem import find_issuers


class Step(StrEnum):
    """What to do with the Secret next."""

    KEEP = "keep"
    RESTORE = "write back what was there"
    ISSUE_ALL = "issue a CA and a leaf"
    ISSUE_LEAF = "issue a leaf"
    ADD_CA = "add the next CA"
    CARRY = "carry over a CA that is still trusted elsewhere"
    DROP = "drop CAs that nobody serves by any more"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom callers trust, and for how long.

    Attributes:
        everywhere: CAs in the caBundle of every webhook; None where there is no webhook to look at.
        anywhere: CAs in the caBundle of any.
        settled: CAs that were everywhere for long enough; without a webhook, in `ca.crt`.
        serving: CAs that the leaf which this replica serves leads to.
    """

    everywhere: frozenset[x509.Certificate] | None = None
    anywhere: frozenset[x509.Certificate] = frozenset()
    settled: frozenset[x509.Certificate] = frozenset()
    serving: frozenset[x509.Certificate] = frozenset()


def plan(held: Held, remembered: Held | None, trust: Trust, now: datetime, lives: Lives) -> Step:
    """Plan the next step.

    held: what the Secret holds now.
    remembered: what it last held that was whole, understood as of now; None before.
    now: aware UTC.
    """
    if not held.authorities:
        return Step.RESTORE if remembered and remembered.authorities else Step.ISSUE_ALL
    if held.leaf is None:
        return Step.ISSUE_LEAF
    return Step.CARRY if find_strangers(held, trust, now) else _plan_whole(held, held.leaf, trust, now, lives)


def _plan_whole(held: Held, leaf: Leaf, trust: Trust, now: datetime, lives: Lives) -> Step:
    """Plan what is due where nothing is broken."""
    newest = held.authorities[0].certificate
    is_of_newest = newest in find_issuers(leaf.chain, held.trusted)
    if newest in trust.settled and not is_of_newest:
        return Step.ISSUE_LEAF
    if newest in trust.settled and is_due(newest, now):
        return Step.ADD_CA
    if is_due(leaf.chain[0], now):
        return Step.ISSUE_LEAF
    dropped = find_dropped(held, now, lives)
    return Step.DROP if dropped and not dropped & trust.anywhere else Step.KEEP


def find_strangers(held: Held, trust: Trust, now: datetime) -> frozenset[x509.Certificate]:
    """Find the CAs that callers may still meet, and `ca.crt` does not hold."""
    met = trust.anywhere | trust.serving
    return frozenset(each for each in met if is_valid(each, now)) - frozenset(held.trusted)


def find_dropped(held: Held, now: datetime, lives: Lives) -> frozenset[x509.Certificate]:
    """Find the CAs in `ca.crt` whose last leaf has expired: its newest CA took over longer ago than a leaf lives."""
    if held.leaf is None or held.changed is None or now < held.changed + lives.leaf:
        return frozenset()
    kept = {pair.certificate for pair in held.authorities} | find_issuers(held.leaf.chain, held.trusted)
    return frozenset(held.trusted) - kept


def choose_bundle(held: Held, trust: Trust, now: datetime, lives: Lives) -> tuple[x509.Certificate, ...]:
    """Choose what every caBundle must hold, the newest CA first; what could not be carried over stays in them."""
    dropped = find_dropped(held, now, lives)
    newest = tuple(pair.certificate for pair in held.authorities)
    strangers = find_strangers(held, trust, now)
    return tuple(each for each in dict.fromkeys((*newest, *held.trusted, *strangers)) if each not in dropped)


def choose_signer(held: Held, trust: Trust) -> Pair:
    """Choose the CA that signs a leaf now: the newest that is settled, else that which has been there longest."""
    settled = (pair for pair in held.authorities if pair.certificate in trust.settled)
    return next(settled, held.authorities[-1])


def is_trusted(leaf: Leaf, trust: Trust) -> bool:
    """Tell whether callers of any webhook trust a leaf: without it these would be refused as well."""
    return trust.everywhere is None or bool(find_issuers(leaf.chain, trust.anywhere))


def choose_served(served: Leaf | None, offered: Leaf | None, trust: Trust, now: datetime) -> Leaf | None:
    """Choose the leaf to serve: the offered one, unless its CA is not settled and the one that is served is good."""
    if offered is None or offered == served:
        return served
    if served is None or not is_valid(served.chain[0], now) or not is_trusted(served, trust):
        return offered
    return offered if find_issuers(offered.chain, trust.settled) or trust.everywhere is None else served
