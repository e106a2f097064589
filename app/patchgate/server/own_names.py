"""Refuses what a browser asks of a loopback address under a name that somebody else may own (DNS rebinding).

Whoever has the ops listener on 127.0.0.1, by `make run` or `kubectl port-forward`, may have a stranger's page open as
well, whose name leads there a moment later: the browser then lets that page read what is not yet patched. Other callers
come through a network, which a NetworkPolicy guards, and perhaps through a proxy with a name of its own.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from patchgate.errors import RequestError
from patchgate.policy.verdict import show
from patchgate.server.refusal import refuse

_NOBODYS: Final = frozenset({"localhost", "test", "local", "internal", "svc"})
"""Ends of names that no public DNS has (RFC 6761, RFC 6762; `internal`: ICANN, 2024; `svc`: Kubernetes)."""


@dataclass(frozen=True, slots=True)
class OwnNames:
    """An ASGI application around another."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        stranger = _find_stranger(scope)
        if stranger is None:
            await self.app(scope, receive, send)
            return
        fault = (
            f"this is not {show(stranger)}: ask as 127.0.0.1 or localhost (a proxy in this Pod must send such a Host)"
        )
        await refuse(RequestError(421, fault))(scope, receive, send)  # RFC 9110, 15.5.20


def _find_stranger(scope: Scope) -> str | None:
    """Find the name under which a loopback caller asks, if somebody else may own it."""
    client = _read_address((scope.get("client") or ("",))[0])
    if client is None or not client.is_loopback:
        return None
    hosts = (str(value, "latin-1") for name, value in scope["headers"] if name == b"host")
    return next((host for host in hosts if not _is_nobodys(host)), None)


def _is_nobodys(host: str) -> bool:
    """Tell whether no stranger can have a page of this name: an address, one label, or an end of its own."""
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    labels = name.rstrip(".").split(".")
    return _read_address(name.strip("[]")) is not None or len(labels) == 1 or labels[-1] in _NOBODYS


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
