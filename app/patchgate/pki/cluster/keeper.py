"""Keeps a Secret and the caBundles that go with it in step, look by look, and says which leaf to serve.

A look reads both, carries out what the plan says as long as it says anything, and patches the caBundles. Replicas need
not know of each other: resourceVersion decides who writes, and who was late reads what the other wrote.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from cryptography import x509

from patchgate.errors import SourceError
from patchgate.limits import CERTIFICATE_SKEW_SECONDS, SECRET_STEPS
from patchgate.pki.cluster.secret import SecretStore, Stored
from patchgate.pki.cluster.webhooks import CaBundles, WebhookStore
from patchgate.pki.contents import Contents, Held, Leaf, read_contents
from patchgate.pki.lives import Lives, is_valid
from patchgate.pki.pem import find_issuers
from patchgate.pki.plan import Step, Trust, choose_bundle, choose_served, is_trusted, plan
from patchgate.pki.renew import Renewal

_NOTHING: Final = Contents()
_PATCHED: Final = "patch the caBundle"


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reading saw."""

    stored: Stored
    found: CaBundles | None
    held: Held
    trust: Trust


@dataclass(frozen=True, slots=True)
class Look:
    """What came of a look.

    Attributes:
        done: steps that were carried out, and `patch the caBundle`.
        refused: why the pair that the Secret held cannot be served; empty where it can, or there was none.
        failure: why something could not be written; empty where nothing failed.
    """

    done: tuple[str, ...] = ()
    refused: str = ""
    failure: str = ""


@dataclass(slots=True)
class SecretKeeper:
    """Looks at a Secret. One call at a time.

    Attributes:
        secret: where certificates are.
        webhooks: whose callers must trust them; None where nobody said.
        issues: whether the Secret is ours to write, and the caBundles with it.
        names: that the leaf must be good for; in a Secret of others the first alone.
        lives: how long what is issued lives.
        clock: gives now, aware UTC.
        find_refusal: says why who serves it would not take a leaf that was understood here; empty where it would.
        served: the leaf to serve; None before there is one.
    """

    secret: SecretStore
    webhooks: WebhookStore | None
    issues: bool
    names: tuple[str, ...]
    lives: Lives
    clock: Callable[[], datetime]
    find_refusal: Callable[[Leaf], str] = lambda _: ""
    served: Leaf | None = None
    _remembered: Contents = _NOTHING
    _last: Mapping[str, Any] = field(default_factory=dict, repr=False)  # keys are in it
    _trust: Trust = field(default_factory=Trust)
    _refused: str = "it has not been read yet"
    _since: dict[x509.Certificate, float] = field(default_factory=dict)

    def look(self) -> Look:
        """Look once. Blocks.

        Raises:
            SourceError: Secret or webhooks cannot be read; all stays as it was.
        """
        done: list[str] = []
        failures: list[str] = []
        first = sight = self._see()
        try:
            sight = self._follow_plan(sight, done)
        except SourceError as error:
            failures.append(str(error))
        try:
            self._keep_bundles(sight, done)
        except SourceError as error:
            failures.append(str(error))
        failures += filter(None, [self._find_skew(sight.stored)] if self.issues else [])
        self._trust = sight.trust
        self._refused = sight.held.fault
        self.served = choose_served(self.served, sight.held.leaf, sight.trust, self.clock())
        if sight.found and _PATCHED not in done:
            failures += filter(None, [self._say_untrusting(sight.found)])
        if self.issues and sight.stored.keeper:
            failures.append(
                f"the Secret {self.secret.name} is kept by {sight.stored.keeper}, and only read: "
                "do without --issue-certificates"
            )
        refused = first.held.fault if first.stored.contents.certificate.strip() else ""  # nothing is no refusal
        return Look(tuple(done), refused, "; ".join(failures))

    def find_obstacle(self) -> str:
        """Say why callers cannot rest on what is served; empty where they can."""
        if self.served is None:
            return f"no certificate in the Secret {self.secret.name}: {self._refused}"
        if self.clock() < self.served.chain[0].not_valid_before_utc:
            return f"the certificate is not valid before {self.served.chain[0].not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
        if not is_valid(self.served.chain[0], self.clock()):
            return (
                f"the certificate expired on {self.served.expires:%Y-%m-%dT%H:%M:%SZ}: {self._refused or 'not renewed'}"
            )
        if not is_trusted(self.served, self._trust):
            name = self.webhooks.name if self.webhooks else ""
            return f"the caBundle of {name} does not hold the CA of the certificate"
        return ""

    def _say_untrusting(self, found: CaBundles) -> str:
        """Say whose callers are refused while others are not; empty where all are alike."""
        serving = find_issuers(self.served.chain, found.anywhere) if self.served else frozenset()
        names = [name for name, bundle in found.by_name() if not serving & bundle]
        if not serving or not names:
            return ""
        return f"the caBundle of {', '.join(names)} does not hold the CA of the certificate: its callers are refused"

    def _see(self) -> Sight:
        stored = self.secret.read()
        if stored.version:
            self._last = stored.written
        else:  # whoever made it, Helm say, knows it by its labels
            stored = replace(stored, written=self._last)
        found = self.webhooks.read() if self.webhooks else None
        held = self._try_out(read_contents(stored.contents, self._choose_names(stored), self.clock()))
        if self._writes(stored) and held.leaf and held.authorities:
            self._remembered = stored.contents
        return Sight(stored, found, held, self._weigh(stored, found, held))

    def _try_out(self, held: Held) -> Held:
        if held.leaf is None or held.leaf == self.served:
            return held
        refusal = self.find_refusal(held.leaf)
        return replace(held, leaf=None, fault=refusal) if refusal else held

    def _follow_plan(self, sight: Sight, done: list[str]) -> Sight:
        """Carry out step after step; who loses against another replica reads what that wrote."""
        for _ in range(SECRET_STEPS):
            if not self._writes(sight.stored) or self._find_skew(sight.stored):
                break
            now = self.clock()
            remembered = read_contents(self._remembered, self.names, now)
            step = plan(sight.held, remembered, sight.trust, now, self.lives)
            if step is Step.KEEP:
                break
            renewal = Renewal(self.names, self.lives, now)
            written = renewal.carry_out(step, sight.stored.contents, sight.held, sight.trust, self._remembered)
            if self.secret.write(sight.stored, written):
                done.append(f"{step}, as {sight.held.fault}" if sight.held.fault else str(step))
            sight = self._see()
        return sight

    def _keep_bundles(self, sight: Sight, done: list[str]) -> None:
        if not self.webhooks or not sight.found or not self._writes(sight.stored) or not sight.held.authorities:
            return
        if self._find_skew(sight.stored):
            return
        wanted = choose_bundle(sight.held, sight.trust, self.clock(), self.lives)
        if self.webhooks.write(sight.found, wanted):
            done.append(_PATCHED)

    def _weigh(self, stored: Stored, found: CaBundles | None, held: Held) -> Trust:
        """Weigh whom callers trust, and since when."""
        if found and not self._writes(stored) and not stored.contents.ca.strip() and not found.anywhere:
            found = None  # kube-apiserver trusts the CAs of its machine then
        everywhere = found.everywhere if found else frozenset(held.trusted)
        now = time.monotonic()
        self._since = {each: self._since.get(each, now) for each in everywhere}
        settle_seconds = self.lives.settle.total_seconds()
        settled = frozenset(each for each, since in self._since.items() if now - since >= settle_seconds)
        serving = find_issuers(self.served.chain, self._list_known(held)) if self.served else frozenset()
        return Trust(everywhere if found else None, found.anywhere if found else frozenset(), settled, serving)

    def _list_known(self, held: Held) -> frozenset[x509.Certificate]:
        """List the CAs that the served leaf may be of: those of now, and of before."""
        before = read_contents(self._remembered, (), self.clock()).trusted
        return frozenset((*held.trusted, *before, *self._trust.serving))

    def _find_skew(self, stored: Stored) -> str:
        """Say by how much our clock and kube-apiserver's differ, where that is too much to issue by ours."""
        ahead_seconds = (self.clock() - stored.asked_at).total_seconds() if stored.asked_at else 0.0
        if abs(ahead_seconds) <= CERTIFICATE_SKEW_SECONDS:
            return ""
        side = "ahead of" if ahead_seconds > 0 else "behind"
        differs = f"{abs(ahead_seconds) / 60:.0f} min {side} kube-apiserver's"
        return f"this machine's clock is {differs}: no certificate is written until they agree"

    def _choose_names(self, stored: Stored) -> tuple[str, ...]:
        return self.names if self._writes(stored) else self.names[:1]

    def _writes(self, stored: Stored) -> bool:
        return self.issues and not stored.keeper
