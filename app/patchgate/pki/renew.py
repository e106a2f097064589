"""Carries out a step of the rotation plan on a Secret's values: issues what it asks for. Writes no Secret itself."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from patchgate.pki.contents import Contents, Held
from patchgate.pki.issue import Pair, issue_ca, issue_server_leaf
from patchgate.pki.lives import Lives
from patchgate.pki.pem import find_issuers, write_certificates
from patchgate.pki.plan import Step, Trust, choose_signer, find_dropped, find_strangers

_CA_NAME: Final = "patchgate CA"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a step is carried out with.

    Attributes:
        names: that a leaf is issued for.
        lives: how long what is issued lives.
        now: aware UTC.
    """

    names: tuple[str, ...]
    lives: Lives
    now: datetime

    def carry_out(self, step: Step, contents: Contents, held: Held, trust: Trust, remembered: Contents) -> Contents:
        """Give the values to write. contents, held: what is there; remembered: written back by RESTORE."""
        written = contents
        match step:
            case Step.KEEP:
                pass
            case Step.RESTORE:
                written = remembered
            case Step.ISSUE_ALL:
                written = self._issue_all(held)
            case Step.ISSUE_LEAF:
                written = self._issue_leaf(contents, held, choose_signer(held, trust))
            case Step.ADD_CA:
                written = self._add_ca(contents, held)
            case Step.CARRY:
                written = self._carry(contents, held, trust)
            case Step.DROP:
                dropped = find_dropped(held, self.now, self.lives)
                written = replace(contents, ca=write_certificates(each for each in held.trusted if each not in dropped))
        return written

    def _carry(self, contents: Contents, held: Held, trust: Trust) -> Contents:
        strangers = sorted(find_strangers(held, trust, self.now), key=lambda each: each.not_valid_before_utc)
        return replace(contents, ca=write_certificates((*held.trusted, *strangers)), changed=self._write_now())

    def _issue_all(self, held: Held) -> Contents:
        ca = issue_ca(_CA_NAME, self.now, self.lives)
        leaf = issue_server_leaf(ca, self.names, self.now, self.lives)
        trusted = write_certificates((ca.certificate, *held.trusted))
        return Contents(leaf.certificate_pem, leaf.key_pem, trusted, ca.key_pem, self._write_now())

    def _issue_leaf(self, contents: Contents, held: Held, signer: Pair) -> Contents:
        """Issue a leaf; with the newest CA's first one, the keys of those before go, so that they sign no more."""
        leaf = issue_server_leaf(signer, self.names, self.now, self.lives)
        written = replace(contents, certificate=leaf.certificate_pem, key=leaf.key_pem)
        if signer != held.authorities[0]:
            return written
        was_its = held.leaf and signer.certificate in find_issuers(held.leaf.chain, held.trusted)
        changed = contents.changed if was_its and held.changed else self._write_now()
        return replace(written, ca_keys=signer.key_pem, changed=changed)

    def _add_ca(self, contents: Contents, held: Held) -> Contents:
        ca = issue_ca(_CA_NAME, self.now, self.lives)
        return replace(
            contents,
            ca=write_certificates((ca.certificate, *held.trusted)),
            ca_keys=_write_keys((ca, *held.authorities)),
        )

    def _write_now(self) -> bytes:
        return self.now.isoformat(timespec="seconds").encode()


def _write_keys(pairs: Iterable[Pair]) -> bytes:
    return b"".join(pair.key_pem for pair in pairs)
