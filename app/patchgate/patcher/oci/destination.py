"""Decides whether we go where a registry sends us: to another host by a redirect, or to a server that gives tokens.

A registry says both, and an image list names the registry, so neither is trusted. The rules are those of oras-go 2.6.1
(GHSA-xf85-363p-868w) for token servers, and stricter for redirects (CVE-2020-15157 of containerd):

- A challenge is answered only if the host that was asked sent it. It may name a token server on another host, as Docker
  Hub does (`registry-1.docker.io` names `auth.docker.io`): that registry may have our password in any case.
- Nothing leads from TLS to plain HTTP, unless the operator declared the other host with `--plain-http`.
- Nothing leads to this machine, unless the registry is on it; nor to a link-local or metadata address. What a name
  resolves to is looked at where the connection is made (`is_forbidden_peer`).
- A token server is at no private address, unless the registry is. A redirect may lead to one, such as an object store
  beside a registry: it carries no credentials, and what comes is checked against a digest or parsed.

Pure.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = ip_network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""
_HOST_CHARACTERS: Final = 254
_LABEL_CHARACTERS: Final = 63
_METADATA: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_RANGES: Final = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "168.63.129.16/32",
        "100.100.100.200/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
    )
)
"""Link-local addresses, and those where clouds have their metadata: the chart's `patchgate.metadataRanges`."""


def find_origin(url: str) -> tuple[str, str, int]:
    """Find the scheme, host and port that a URL is asked of (RFC 6454); port 0 where the URL has none that can be."""
    parts = urlsplit(url)
    try:
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        port = 0
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def name_host(url: str) -> str:
    """Name the host of a URL for people: without a login, which a URL may have, and with its port where it has one."""
    return urlsplit(url).netloc.rpartition("@")[2]


def find_redirect_fault(url: str, target: str, is_plain: Callable[[str], bool]) -> str:
    """Find why a redirect is not followed; empty where it may be.

    url: that was asked. target: absolute. is_plain: tells whether the operator declared a host[:port] as plain HTTP.
    """
    here, there = urlsplit(url), urlsplit(target)
    if fault := _find_form_fault(there):
        return f"redirects to {fault}"
    if there.scheme == "http" and here.scheme == "https" and not is_plain(there.netloc):
        return f"redirects to {there.netloc} without TLS, which is not followed"
    if is_forbidden(there.hostname, here.hostname):
        return f"redirects to {there.netloc}, an address of this machine or its cloud, which is not followed"
    return ""


def find_realm_fault(url: str, realm: str, is_plain: Callable[[str], bool], *, has_login: bool) -> str:
    """Find why a token server is not asked; empty where it may be.

    url: of the registry, as it was asked. has_login: whether it would get one.
    """
    here, there = urlsplit(url), urlsplit(realm)
    if fault := _find_form_fault(there):
        return f"names {fault} as the server that gives tokens"
    if there.scheme == "http" and not is_plain(there.netloc) and (has_login or here.scheme == "https"):
        return f"names {there.netloc} as the server that gives tokens, without TLS: it is not asked"
    if is_forbidden(there.hostname, here.hostname) or (_is_inside(there.hostname) and not _is_inside(here.hostname)):
        return f"names {there.netloc} as the server that gives tokens, an address inside this network: it is not asked"
    return ""


def is_forbidden(host: str | None, sender: str | None) -> bool:
    """Tell whether a host, or an address that it resolved to, is one that the sender may not lead to.

    sender: host that led us there; None where the operator's own data name it.
    """
    address = (host or "").partition("%")[0]
    if address == sender:
        return False
    return _is_metadata(address) or (_is_near(address) and not _is_near(sender))


def _find_form_fault(parts: SplitResult) -> str:
    if not find_origin(parts.geturl())[2] or not _is_host(parts.hostname or ""):
        return "what is not a URL of http or https"
    if "@" in parts.netloc:
        return "a URL with a login in it"
    return ""


def _is_host(name: str) -> bool:
    """Tell whether a host can be asked at all (RFC 1035, 2.3.4)."""
    labels = name.rstrip(".").split(".")
    return ":" in name or (len(name) <= _HOST_CHARACTERS and all(0 < len(each) <= _LABEL_CHARACTERS for each in labels))


def _is_near(host: str | None) -> bool:
    """Tell whether a host is this machine, by its address or name."""
    address = _read_address(host)
    name = (host or "").rstrip(".")
    return address.is_loopback or address.is_unspecified if address else f".{name}".endswith(".localhost")


def _is_inside(host: str | None) -> bool:
    """Tell whether a host is an address that the internet does not have, or this machine."""
    address = _read_address(host)
    return not address.is_global if address else _is_near(host)


def _is_metadata(host: str | None) -> bool:
    address = _read_address(host)
    if address is None:
        return (host or "").rstrip(".") in _METADATA
    return any(address in network for network in _METADATA_RANGES)


def _read_address(host: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host or "")
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    translated = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
    return address.ipv4_mapped or translated or address
