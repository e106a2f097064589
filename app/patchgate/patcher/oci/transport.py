"""One exchange over HTTP with a registry: limits of time and size, redirects, proxies. Knows nothing of credentials.

Redirects are followed for reading alone; an Authorization header never goes with one to another scheme, host or port
(urllib3, `remove_headers_on_redirect`), and none leads from TLS to plain HTTP.
"""

import ssl
import time
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    ResponseError,
    SSLError,
)
from urllib3.util import Retry, Timeout, make_headers, parse_url

from patchgate.errors import RegistryError
from patchgate.limits import REGISTRY_CONNECTIONS, REGISTRY_REDIRECTS
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.retry import Pace, UnreachableError

_CHUNK_BYTES: Final = 64 * 1024
_READING: Final = frozenset({"GET", "HEAD"})


class Transport:
    """Connections to registries, straight or through the proxies that the environment names; safe for threads."""

    def __init__(self, environment: Mapping[str, str], pace: Pace) -> None:
        self._pace = pace
        self._proxies = _read_proxies(environment)
        # The system's certificates, or those that SSL_CERT_FILE and SSL_CERT_DIR name, as for Trivy and Copa.
        self._trust = ssl.create_default_context()
        self._direct = urllib3.PoolManager(ssl_context=self._trust, maxsize=REGISTRY_CONNECTIONS)
        self._through = {
            scheme: urllib3.ProxyManager(
                proxy, ssl_context=self._trust, maxsize=REGISTRY_CONNECTIONS, proxy_headers=_log_in_to_proxy(proxy)
            )
            for scheme, proxy in self._proxies.items()
            if scheme in ("http", "https")
        }

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most_bytes: int
    ) -> Answer:
        """Send a request and read its answer.

        Raises:
            UnreachableError: no whole answer came.
            RegistryError: it has more than most_bytes, or a redirect leads where we do not go.
        """
        host = urlsplit(url).netloc.rpartition("@")[2]  # a URL may have a login in it, which nobody is shown
        try:
            response = self._choose_manager(url).request(
                method,
                url,
                body=body,
                headers=dict(headers),
                preload_content=False,
                timeout=Timeout(connect=self._pace.connect_seconds, read=self._pace.read_seconds),
                retries=_follow(redirects=REGISTRY_REDIRECTS if method in _READING else 0),
            )
            try:
                _refuse_downgrade(url, response)
                read = self._read(response, host, most_bytes)
            finally:
                response.release_conn()
        except (HTTPError, OSError) as error:
            raise _say_why(host, error) from error
        return Answer(response.status, response.headers, read, response.geturl() or url)

    def close(self) -> None:
        """Close every connection."""
        for manager in (self._direct, *self._through.values()):
            manager.clear()

    def _choose_manager(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        if urllib.request.proxy_bypass_environment(parts.netloc, self._proxies):  # type: ignore[attr-defined]
            return self._direct
        return self._through.get(parts.scheme, self._direct)

    def _read(self, response: urllib3.BaseHTTPResponse, host: str, most_bytes: int) -> bytes:
        deadline = time.monotonic() + self._pace.exchange_seconds
        read = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            read += chunk
            if len(read) > most_bytes:
                response.close()
                raise RegistryError(f"{host} answers with more than {most_bytes} bytes")
            if time.monotonic() > deadline:
                response.close()
                raise UnreachableError(
                    f"{host} takes longer than {self._pace.exchange_seconds:g} s for one answer", may_pass=True
                )
        return bytes(read)


def _read_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the proxies; lower case goes first, as everywhere (urllib.request, `getproxies_environment`)."""
    named = {name.lower(): text for name, text in sorted(environment.items()) if name.lower().endswith("_proxy")}
    return {name.removesuffix("_proxy"): text for name, text in named.items() if text}


def _log_in_to_proxy(proxy: str) -> Mapping[str, str] | None:
    user = parse_url(proxy).auth
    return make_headers(proxy_basic_auth=unquote(user)) if user else None


def _follow(redirects: int) -> Retry:
    """Follow redirects, and leave every other repetition to `retry`."""
    return Retry(
        total=None, connect=0, read=0, redirect=redirects or False, status=0, other=0, raise_on_redirect=redirects > 0
    )


def _refuse_downgrade(url: str, response: urllib3.BaseHTTPResponse) -> None:
    passed = [step.redirect_location or "" for step in (response.retries.history if response.retries else ())]
    if url.startswith("https:") and any(place.startswith("http:") for place in passed):
        response.close()
        raise RegistryError(f"{urlsplit(url).netloc} redirects to a host without TLS, which is not followed")


def _say_why(host: str, error: HTTPError | OSError) -> RegistryError:
    """Say in a line why no answer came; nothing of the request is in it."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    match cause:
        case SSLError():
            return _say_tls(host, cause)
        case NameResolutionError():
            return UnreachableError(f"{host}: there is no such host", may_pass=True)
        case NewConnectionError():
            return UnreachableError(f"{host} takes no connection; does it run?", may_pass=True)
        case ConnectTimeoutError() | ReadTimeoutError():
            return UnreachableError(f"{host} does not answer in time", may_pass=True)
        case ResponseError():
            return RegistryError(f"{host} redirects round and round")
        case _:
            return UnreachableError(f"{host} closed the connection without a whole answer", may_pass=True)


def _say_tls(host: str, error: SSLError) -> UnreachableError:
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UnreachableError(
            f"the certificate of {host} is not trusted: {cause.verify_message}; name its CA by SSL_CERT_FILE",
            may_pass=False,
        )
    if isinstance(cause, ssl.SSLError) and cause.reason in (
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
        "HTTP_REQUEST",
    ):
        return UnreachableError(
            f"{host} does not speak TLS; name it with --plain-http if that is meant", may_pass=False
        )
    return UnreachableError(f"{host}: no TLS connection comes about", may_pass=True)


def is_success(answer: Answer) -> bool:
    """Tell whether an answer is a 2xx."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
