"""Asks registries as whoever the docker config says we are: answers their challenges, remembers what they took.

What is remembered is a token a host and scope, or a host's name and password, for as long as the session lives; a
registry that refuses it is answered anew, once. A host that failed to the last try is tried but once for whatever is
asked next, until it answers: a hundred images of a dead registry must not take the time of all others.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from patchgate.errors import RegistryError
from patchgate.limits import REGISTRY_ANSWER_BYTES
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.challenge import Basic, Bearer, read_challenge
from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.destination import find_realm_fault, name_host
from patchgate.patcher.oci.docker_config import Login
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.retry import PASSING_STATUSES, Pace, UnreachableError, read_retry_after_seconds, retry
from patchgate.patcher.oci.transport import Transport, is_success

_CLIENT: Final = "patchgate"
_CODES_OF_CONTENT: Final = frozenset(
    {
        *("BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"),
        *("MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "TAG_INVALID"),
        *("TOOMANYREQUESTS", "UNSUPPORTED"),
    }
)
"""What a registry says of what was sent, and not of who sent it (OCI distribution specification 1.1, "Error Codes")."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a registry.

    Attributes:
        host: normalised name of the registry, or of its mirror.
        path: of the URL, with its query.
        scope: what a token must allow, such as `repository:library/nginx:pull`.
        most_bytes: of the answer's body.
    """

    method: str
    host: str
    path: str
    scope: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    most_bytes: int = REGISTRY_ANSWER_BYTES

    @property
    def repository(self) -> str:
        """The path of the repository that the scope names."""
        return self.scope.split(":")[1]


class Session:
    """Safe for threads: two of them at worst fetch the same token."""

    def __init__(
        self, hosts: Hosts, credentials: Credentials, transport: Transport, pace: Pace, stop: threading.Event
    ) -> None:
        self._hosts = hosts
        self._credentials = credentials
        self._transport = transport
        self._pace = pace
        self._stop = stop
        self._authorizations: dict[tuple[str, str], str] = {}
        self._failing: set[str] = set()

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret that was seen or sent."""
        sent = (authorization.partition(" ")[2] for authorization in tuple(self._authorizations.values()))
        return self._credentials.secrets | frozenset(sent)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing new is to be asked for."""
        return self._stop.is_set()

    def ask(self, request: Request) -> Answer:
        """Ask; the answer is whatever the registry says once it knows us.

        Raises:
            RegistryError: no answer came, or no token for it.
        """
        remembered = self._recall(request)
        answer = self._send(request, remembered)
        if answer.is_of_another_host or not _may_be_unknown(answer, remembered):
            return answer
        challenged = answer
        if remembered:
            self._forget(request, remembered)
            if not answer.headers.get("WWW-Authenticate"):  # ECR refuses a token that has expired with 403 alone
                challenged = self._send(request, "")
        authorization = self._authorize(challenged, request)
        if authorization and authorization != remembered:
            return self._send(request, authorization)
        return challenged if is_success(challenged) else answer

    def _authorize(self, answer: Answer, request: Request) -> str:
        """Make the Authorization that an answer asks for, and remember it; empty where there is none to give.

        Only the host that was asked may ask for it: what another one says is no challenge.
        """
        if answer.status != HTTPStatus.UNAUTHORIZED or answer.is_of_another_host:
            return ""
        challenge = read_challenge(answer.headers)
        login = self._credentials.find(request.host, request.repository)
        authorization = self._answer(challenge, login, request, answer.asked) if challenge else ""
        if authorization:
            is_for_all = isinstance(challenge, Basic) and login and not login.path
            scope = "" if is_for_all else request.scope
            self._authorizations[request.host, scope] = authorization
        return authorization

    def _forget(self, request: Request, authorization: str) -> None:
        for key in ((request.host, request.scope), (request.host, "")):
            if self._authorizations.get(key) == authorization:
                self._authorizations.pop(key, None)

    def has_login(self, host: str, path: str) -> bool:
        """Tell whether the docker config has a login of a repository.

        Raises:
            RegistryError: the config cannot be read, or a helper fails.
        """
        return self._credentials.find(host, path) is not None

    def _recall(self, request: Request) -> str:
        of_host = self._authorizations.get((request.host, ""), "")
        return self._authorizations.get((request.host, request.scope), of_host)

    def _send(self, request: Request, authorization: str) -> Answer:
        url = self._hosts.make_url(request.host, request.path)
        headers = {"User-Agent": _CLIENT, **request.headers}
        if authorization:
            headers["Authorization"] = authorization
        return self._exchange(request.method, url, headers, request.body, request.most_bytes)

    def _exchange(  # noqa: PLR0913, PLR0917 -- a request
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        most_bytes: int,
        led_by: str = "",
    ) -> Answer:
        host = urlsplit(url).netloc
        pace = replace(self._pace, tries=1) if host in self._failing else self._pace
        try:
            answer = retry(
                lambda: self._transport.exchange(method, url, headers, body, most_bytes, led_by), pace, self._stop
            )
        except UnreachableError:
            self._failing.add(host)
            raise
        (self._failing.add if answer.status in PASSING_STATUSES else self._failing.discard)(host)
        return answer

    def _answer(self, challenge: Basic | Bearer, login: Login | None, request: Request, asked: str) -> str:
        """Make an Authorization header that answers the challenge; empty where we have none."""
        match challenge:
            case Basic():
                return login.basic if login and not login.is_identity_token else ""
            case Bearer():
                fault = find_realm_fault(asked, challenge.realm, self._hosts.is_plain, has_login=login is not None)
                if fault:
                    raise RegistryError(f"{name_host(asked)} {fault}")
                return self._fetch_token(challenge, challenge.scope or request.scope, login, asked)

    def _fetch_token(self, challenge: Bearer, scope: str, login: Login | None, asked: str) -> str:
        """Fetch a token: with our login, an identity token, or as nobody; empty where we get none."""
        fields = {"service": challenge.service, "scope": scope}
        if login and login.is_identity_token:
            grant = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": login.secret}
            headers = {"User-Agent": _CLIENT, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(fields | grant).encode()
            answer = self._exchange("POST", challenge.realm, headers, body, REGISTRY_ANSWER_BYTES, asked)
        else:
            headers = {"User-Agent": _CLIENT} | ({"Authorization": login.basic} if login else {})
            mark = "&" if urlsplit(challenge.realm).query else "?"
            url = challenge.realm + mark + urlencode({name: text for name, text in fields.items() if text})
            answer = self._exchange("GET", url, headers, None, REGISTRY_ANSWER_BYTES, asked)
        if answer.is_of_another_host:
            raise RegistryError(
                f"{name_host(challenge.realm)} sends us to {name_host(answer.url)} for a token: it is not asked"
            )
        return _read_token(answer, urlsplit(challenge.realm).hostname or "")


def _may_be_unknown(answer: Answer, remembered: str) -> bool:
    """Tell whether the host may answer otherwise once it knows us (anew)."""
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            return True
        case HTTPStatus.FORBIDDEN:
            return bool(remembered)
        case HTTPStatus.BAD_REQUEST:  # ECR Public's answer to a token that has expired
            return bool(remembered) and answer.code not in _CODES_OF_CONTENT
        case _:
            return False


def _read_token(answer: Answer, host: str) -> str:
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return ""  # the registry's own refusal says what to do
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = read_retry_after_seconds(answer)
        wait = f", it asks to wait {seconds:.0f} s" if seconds else ""
        raise RegistryError(f"{host}, which gives tokens, got too many requests (429){wait}: log in, or ask less often")
    if answer.status != HTTPStatus.OK:
        raise RegistryError(f"{host} gives no token: it answered {answer.status}")
    try:
        fields = json.loads(answer.body)
        token = fields.get("token") or fields.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise RegistryError(f"{host} gives no token that can be read")
    return f"Bearer {token}"
