"""Who may send reviews: kube-apiserver, known by its client certificate (AdmissionConfiguration, `kubeConfigFile`).

TLS asks each caller for a certificate and accepts none as an answer, because the kubelet's probes have none. So what is
missing is found when a connection begins, and reported when that connection asks for a review. A certificate of another
CA does not pass TLS at all, in either mode: Python's ssl has no way to let it through.
"""

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from patchgate.errors import RequestError
from patchgate.metrics import GateMetrics
from patchgate.pki.pem import list_names
from patchgate.policy.part import Problem
from patchgate.policy.verdict import show
from patchgate.server.admission import PREFIX
from patchgate.server.refusal import refuse

REPORTED_SECONDS: Final = 3600
"""For how long `/readyz?verbose` and the status page show the last caller without a certificate."""
CALLERS_SHOWN: Final = 20
"""Addresses that are kept for each fault, the last ones: anyone who reaches the port may be one of them."""
LOG_SECONDS: Final = 60
"""Between two lines of the log about one fault: a caller may try as often as it likes."""


class ClientAuth(StrEnum):
    """What becomes of a review whose caller shows no certificate that is accepted."""

    OBSERVE = "observe"
    REQUIRE = "require"


class Fault(StrEnum):
    """What is wrong with a caller; the label of a metric."""

    NONE = "none"
    NAME = "name"
    UNTRUSTED = "untrusted"


_SAID: Final = {
    Fault.NONE: "shows no client certificate",
    Fault.NAME: "shows a client certificate of another name",
    Fault.UNTRUSTED: "shows a client certificate that --client-ca does not verify",
}


@dataclass(slots=True)
class CallerCheck:
    """Checks the callers of reviews.

    Attributes:
        auth: what becomes of those who have no certificate that is accepted.
        names: common names or DNS names that are accepted; empty for any certificate of the CA.
        clock: gives now, aware UTC.
        metrics: counts reviews of such callers, and failed TLS handshakes.
        log: told of such callers, now and then.
    """

    auth: ClientAuth
    names: frozenset[str]
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    _seen: dict[Fault, dict[str, datetime]] = field(default_factory=dict)
    _logged_at: dict[Fault, datetime] = field(default_factory=dict)

    def find_fault(self, connection: ssl.SSLObject) -> Fault | None:
        """Find what is wrong with the other side of a connection whose TLS stands; None if nothing is."""
        shown = connection.getpeercert(binary_form=True)
        if shown is None:
            return Fault.NONE
        return None if not self.names or self.names & _read_names(shown) else Fault.NAME

    def note(self, fault: Fault, address: str = "") -> None:
        """Count and report a review, or a failed handshake, of a caller that is not accepted. address: the caller's."""
        self.metrics.uncertified.labels(fault).inc()
        now, seen = self.clock(), self._seen.setdefault(fault, {})
        seen.pop(address, None)
        seen[address] = now
        if len(seen) > CALLERS_SHOWN:
            del seen[next(iter(seen))]
        if fault not in self._logged_at or abs(now - self._logged_at[fault]) >= timedelta(seconds=LOG_SECONDS):
            self._logged_at[fault] = now
            addresses = [each for each in reversed(seen) if each]
            self.log.warning(
                "caller_without_certificate", addresses=addresses, fault=_SAID[fault], client_auth=self.auth
            )

    def list_problems(self) -> Iterable[Problem]:
        """List what was wrong with callers lately, with the last addresses of each fault."""
        since = self.clock() - timedelta(seconds=REPORTED_SECONDS)
        for fault, seen in self._seen.items():
            addresses = [each for each in reversed(seen) if each and seen[each] >= since]
            last = next(reversed(seen.values()))
            if last >= since:
                outcome = "was answered" if self._is_answered(fault) else "was refused"
                text = f"a caller {_SAID[fault]} and {outcome}, last at {last:%Y-%m-%dT%H:%M:%SZ}"
                yield Problem("client certificates", "", text + (f", from {', '.join(addresses)}" if addresses else ""))

    def guard(self, app: ASGIApp, fault: Fault, address: str) -> ASGIApp:
        """Put the check before an application, for a connection with a fault: reviews are counted, or refused."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"].startswith(PREFIX):
                self.note(fault, address)
                if not self._is_answered(fault):
                    response = refuse(RequestError(403, f"the caller {_SAID[fault]}, see --client-ca"))
                    response.headers["Connection"] = "close"  # its body is never read
                    await response(scope, receive, send)
                    return
            await app(scope, receive, send)

        return answer

    def _is_answered(self, fault: Fault) -> bool:
        return self.auth is ClientAuth.OBSERVE and fault is not Fault.UNTRUSTED


def _read_names(certificate: bytes) -> frozenset[str]:
    """Read the common names, DNS names and addresses of a certificate in DER; none if it cannot be understood."""
    try:
        leaf = x509.load_der_x509_certificate(certificate)
        common = [str(each.value) for each in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    except (ValueError, TypeError, x509.InvalidVersion):  # OpenSSL verified it, and understands more spellings
        return frozenset()
    return frozenset((*common, *list_names(leaf)))


def describe_caller(address: object) -> str:
    """Describe a socket's peer, for people: its address without the port."""
    return show(str(address[0])) if isinstance(address, tuple) and address else ""
