"""Chooses the proxy of a URL by Go's rules (golang.org/x/net/http/httpproxy), which Trivy, Copa and BuildKit follow.

`NO_PROXY`: names (`example.com` with all below it, `.example.com` and `*.example.com` for what is below it alone),
addresses, ranges (`10.0.0.0/8`), each perhaps with a port, and `*`. This machine is never asked through a proxy. Of two
spellings the one in capitals is taken. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from patchgate.errors import SetupError

_Address = IPv4Address | IPv6Address
_PORTS = {"http": "80", "https": "443"}
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Domain:
    """Names that are not asked through a proxy.

    Attributes:
        suffix: `.example.com`.
        with_itself: whether `example.com` is one of them.
        port: empty for every one.
    """

    suffix: str
    with_itself: bool
    port: str


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of an environment.

    Attributes:
        by_scheme: scheme of a URL → URL of its proxy.
        is_off: whether NO_PROXY is `*`.
        networks: addresses that are asked straight, each with a port, empty for every one.
        domains: names that are asked straight.
    """

    by_scheme: Mapping[str, str]
    is_off: bool = False
    networks: tuple[tuple[IPv4Network | IPv6Network, str], ...] = ()
    domains: tuple[Domain, ...] = ()

    def find(self, url: str) -> str:
        """Find the proxy of a URL; empty where it is asked straight."""
        parts = urlsplit(url)
        proxy = self.by_scheme.get(parts.scheme, "")
        host = (parts.hostname or "").strip()
        port = str(parts.port or _PORTS.get(parts.scheme, ""))
        return "" if not proxy or self._is_straight(host, port) else proxy

    def _is_straight(self, host: str, port: str) -> bool:
        if self.is_off or host == "localhost":
            return True
        address = _read_address(host)
        if address is not None:
            return address.is_loopback or any(
                address in network and own_port in ("", port) for network, own_port in self.networks
            )
        return any(
            (host.endswith(domain.suffix) or (domain.with_itself and host == domain.suffix[1:]))
            and domain.port in ("", port)
            for domain in self.domains
        )


def read_proxies(environment: Mapping[str, str]) -> Proxies:
    """Read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

    Raises:
        SetupError: a proxy is none that we can ask.
    """
    by_scheme = {
        scheme: _read_proxy(name, text)
        for scheme in _SCHEMES
        if (text := _get(environment, name := f"{scheme.upper()}_PROXY"))
    }
    networks: list[tuple[IPv4Network | IPv6Network, str]] = []
    domains: list[Domain] = []
    for entry in map(str.strip, _get(environment, "NO_PROXY").lower().split(",")):
        if entry == "*":
            return Proxies(by_scheme, is_off=True)
        host, port = _split(entry)
        if network := _read_network(entry, host, port):
            networks.append(network)
        elif host:
            name = host.removeprefix("*")
            domains.append(Domain(f".{name.removeprefix('.')}", not host.startswith(("*.", ".")), port))
    return Proxies(by_scheme, networks=tuple(networks), domains=tuple(domains))


def _get(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower(), "")


def _read_proxy(name: str, text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:  # what is wrong with it is not shown: it may hold a password
        raise SetupError(f"{name} is no proxy that registries can be asked through: write http://HOST:PORT")
    return url


def _split(entry: str) -> tuple[str, str]:
    """Split host and port (Go, `net.SplitHostPort`); the port is empty where there is none."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    host, colon, port = entry.rpartition(":")
    return (host, port) if colon and ":" not in host else (entry, "")


def _read_network(entry: str, host: str, port: str) -> tuple[IPv4Network | IPv6Network, str] | None:
    try:
        return (ip_network(entry, strict=False), "") if "/" in entry else (ip_network(host), port)
    except ValueError:
        return None


def _read_address(host: str) -> _Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
