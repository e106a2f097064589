"""One exchange over HTTP with a registry: limits of time and size, redirects, proxies. Knows nothing of credentials.

Redirects are followed for reading alone, and only where `destination` lets them lead; an Authorization header never
goes with one to another scheme, host or port.
"""

import re
import ssl
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Retry, Timeout, make_headers, parse_url

from patchgate.errors import RegistryError
from patchgate.limits import REGISTRY_CONNECTIONS, REGISTRY_REDIRECTS
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.destination import find_origin, find_redirect_fault, name_host
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.patience import STOP_SECONDS, Patience, teach
from patchgate.patcher.oci.proxy import read_proxies
from patchgate.patcher.oci.retry import Pace, UnreachableError

_CHUNK_BYTES: Final = 64 * 1024
_READING: Final = frozenset({"GET", "HEAD"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
_PRIVATE: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


class Transport:
    """Connections to registries, straight or through the proxies that the environment names; safe for threads."""

    def __init__(
        self,
        environment: Mapping[str, str],
        pace: Pace,
        *,
        hosts: Hosts | None = None,
        stop: threading.Event | None = None,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        """hosts: which may be reached without TLS. stop: leaves an answer stop_seconds to come.

        Raises:
            SetupError: the environment names a proxy that is none.
        """
        self._pace = pace
        self._is_plain = (hosts or Hosts()).is_plain
        self._proxies = read_proxies(environment)
        # The system's certificates, or those that SSL_CERT_FILE and SSL_CERT_DIR name, as for Trivy and Copa.
        self._trust = ssl.create_default_context()
        self._direct = urllib3.PoolManager(ssl_context=self._trust, maxsize=REGISTRY_CONNECTIONS)
        self._through = {
            proxy: urllib3.ProxyManager(
                proxy, ssl_context=self._trust, maxsize=REGISTRY_CONNECTIONS, proxy_headers=_log_in_to_proxy(proxy)
            )
            for proxy in dict.fromkeys(self._proxies.by_scheme.values())
        }
        self._patience = Patience(pace.read_seconds, pace.exchange_seconds, stop or threading.Event(), stop_seconds)
        for manager in (self._direct, *self._through.values()):
            teach(manager, self._patience)

    def exchange(  # noqa: PLR0913, PLR0917 -- a request
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        most_bytes: int,
        led_by: str = "",
    ) -> Answer:
        """Send a request and read its answer; where it is a redirect of a GET or HEAD, follow it.

        led_by: URL of the registry that named this URL; empty where the operator's data name it.

        Raises:
            UnreachableError: no whole answer came.
            RegistryError: it has more than most_bytes, or a redirect leads where we do not go.
        """
        place, sent = url, dict(headers)
        for _ in range(REGISTRY_REDIRECTS + 1):
            self._patience.led.by = urlsplit(url if place != url else led_by).hostname or ""
            status, answered, read = self._send(method, place, sent, body, most_bytes)
            target = urljoin(place, answered.get("Location", ""))
            if status not in _REDIRECTS or method not in _READING or "Location" not in answered:
                return Answer(status, answered, read, url, place, name_host(self._proxies.find(place)))
            if fault := find_redirect_fault(place, target, self._is_plain):
                raise RegistryError(f"{name_host(place)} {fault}")
            if find_origin(target) != find_origin(place):
                sent = {name: text for name, text in sent.items() if name.lower() not in _PRIVATE}
            place = target.partition("#")[0]
        raise RegistryError(f"{name_host(url)} redirects round and round")

    def close(self) -> None:
        """Close every connection."""
        for manager in (self._direct, *self._through.values()):
            manager.clear()

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most_bytes: int
    ) -> tuple[int, HTTPHeaderDict, bytes]:
        host, proxy = name_host(url), self._proxies.find(url)
        manager = self._through[proxy] if proxy else self._direct
        try:
            response = manager.request(
                method,
                url,
                body=body,
                headers=dict(headers),
                preload_content=False,
                timeout=Timeout(connect=self._pace.connect_seconds, read=self._pace.read_seconds),
                retries=Retry(total=False, redirect=False),
                redirect=False,
            )
            try:
                read = _read(response, host, most_bytes)
            finally:
                response.release_conn()
        except (HTTPError, OSError) as error:
            raise _say_why(host, name_host(proxy), error) from error
        return response.status, response.headers, read


def _read(response: urllib3.BaseHTTPResponse, host: str, most_bytes: int) -> bytes:
    read = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        read += chunk
        if len(read) > most_bytes:
            response.close()
            raise RegistryError(f"{host} answers with more than {most_bytes} bytes")
    return bytes(read)


def _log_in_to_proxy(proxy: str) -> Mapping[str, str] | None:
    user = parse_url(proxy).auth
    return make_headers(proxy_basic_auth=unquote(user)) if user else None


def _say_why(host: str, proxy: str, error: HTTPError | OSError) -> RegistryError:
    """Say in a line why no answer came; nothing of the request is in it. proxy: that was asked; empty for none."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    way = f" (by way of the proxy {proxy})" if proxy else ""
    match cause:
        case ProxyError():
            return _say_proxy(host, proxy, cause)
        case SSLError():
            return _say_tls(host, way, cause)
        case NameResolutionError():
            return UnreachableError(f"{proxy or host}: there is no such host", may_pass=True)
        case NewConnectionError():
            return UnreachableError(f"{proxy or host} takes no connection; does it run?", may_pass=True)
        case ConnectTimeoutError() | ReadTimeoutError():
            return UnreachableError(f"{host} does not answer in time{way}", may_pass=True)
        case _:
            return UnreachableError(f"{host} closed the connection without a whole answer{way}", may_pass=True)


def _say_proxy(host: str, proxy: str, error: ProxyError) -> UnreachableError:
    """Say what a proxy did instead of leading us to a host (RFC 9110, section 9.3.6, CONNECT)."""
    refused = _TUNNEL.search(str(error.original_error))
    if refused is None:
        return UnreachableError(
            f"the proxy {proxy} cannot be reached on the way to {host}; does it run?", may_pass=True
        )
    does = "give its URL a login" if refused[1] == "407" else f"let it lead there, or add {host} to NO_PROXY"
    may_pass = refused[1] in {"502", "503", "504"}
    return UnreachableError(
        f"the proxy {proxy} does not lead to {host}: it answers {refused[1]}; {does}", may_pass=may_pass
    )


def _say_tls(host: str, way: str, error: SSLError) -> UnreachableError:
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UnreachableError(
            f"the certificate of {host} is not trusted{way}: {cause.verify_message}; name its CA by SSL_CERT_FILE",
            may_pass=False,
        )
    if isinstance(cause, ssl.SSLError) and cause.reason in (
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
        "HTTP_REQUEST",
    ):
        return UnreachableError(
            f"{host} does not speak TLS{way}; name it with --plain-http if that is meant", may_pass=False
        )
    return UnreachableError(f"{host}: no TLS connection comes about{way}", may_pass=True)


def is_success(answer: Answer) -> bool:
    """Tell whether an answer is a 2xx."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
