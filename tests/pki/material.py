"""CAs and Secrets to plan with, at a time of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from patchgate.pki.contents import Contents, Held, read_contents
from patchgate.pki.issue import Pair, issue_ca, issue_server_leaf
from patchgate.pki.lives import Lives
from patchgate.pki.pem import write_certificates

NOW = datetime(2026, 5, 9, 12, tzinfo=UTC)
NAME = "patchgate.copa-system.svc"
LIVES = Lives(ca=timedelta(days=900), leaf=timedelta(days=90), backdate=timedelta(0), settle=timedelta(0))


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def make_ca(age_days: float = 1) -> Pair:
    return issue_ca("CA", days_ago(age_days), LIVES)


def make_contents(
    signer: Pair,
    *others: Pair,
    keys: Sequence[Pair] = (),
    leaf_age_days: float = 1,
    changed_days_ago: float | None = 1,
    name: str = NAME,
) -> Contents:
    """A Secret whose leaf is the signer's. others: further CAs in it. keys: of whom it has the key; else the signer."""
    leaf = issue_server_leaf(signer, [name], days_ago(leaf_age_days), LIVES)
    trusted = write_certificates(pair.certificate for pair in (signer, *others))
    changed = b"" if changed_days_ago is None else days_ago(changed_days_ago).isoformat().encode()
    ca_keys = b"".join(pair.key_pem for pair in keys or (signer,))
    return Contents(leaf.certificate_pem, leaf.key_pem, trusted, ca_keys, changed)


def hold(contents: Contents, now: datetime = NOW) -> Held:
    return read_contents(contents, [NAME], now)
