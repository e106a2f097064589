"""Image references: the grammar of distribution/reference, normalised so that no spelling escapes.

Decides what an image string names, as containerd would (github.com/distribution/reference v0.6,
`ParseNormalizedNamed` and `TagNameOnly`), and then folds what containerd leaves apart but a registry does not: the
case of a host name, the port of HTTPS, the spellings of an IP address, and the other names of Docker Hub. A host that
some resolvers read as an IPv4 address and others do not is refused. Asks no registry and no DNS.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import Final, Self

from msgspec import Struct

from patchgate.errors import InvalidReferenceError
from patchgate.limits import REFERENCE_CHARACTERS, REPOSITORY_PATH_CHARACTERS

DOCKER_HUB: Final = "docker.io"
DOCKER_HUB_NAMES: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_HTTPS_PORT: Final = ":443"

_HOST_COMPONENT: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST: Final = rf"(?:{_HOST_COMPONENT}(?:\.{_HOST_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
# The algorithms that containerd registers; others parse in the grammar and are refused after it (go-digest).
_DIGEST: Final = r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}"

# The second: `my_registry.example.com` is no host in the grammar, but containerd pulls from it all the same.
_HOST_PATTERN: Final = re.compile(rf"{_HOST}|{_PATH_COMPONENT}")
_REST_PATTERN: Final = re.compile(
    rf"(?P<path>{_PATH_COMPONENT}(?:/{_PATH_COMPONENT})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_USUAL_PATTERN: Final = re.compile(
    rf"((?:{_LABEL}\.)+(?=[a-z]){_LABEL})/({_PATH_COMPONENT}(?:/{_PATH_COMPONENT})*)(?::({_TAG}))?(?:@({_DIGEST}))?"
)
"""What most images are named: a host name in lower case, with a dot and without a port, which is folded already."""
_NUMERIC_HOST: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""A host that ends in a number (WHATWG URL Standard, "ends in a number checker"): no such top-level domain exists, and
C's inet_aton reads `10.5`, `012.0.0.5` and `0xa000005` as IPv4 addresses, Go's resolver does not."""
_TRANSLATED: Final = tuple(map(IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
"""IPv6 addresses made of an IPv4 address: RFC 4291 (2.5.5.1), RFC 6052, RFC 8215, RFC 3056."""
_IDENTIFIER_PATTERN: Final = re.compile(r"[a-f0-9]{64}|(?:sha256|sha384|sha512):[a-f0-9]+")
"""An image ID: containerd runs whatever its node holds under it, and takes a prefix as well (CRI, LocalResolve)."""
_DIGEST_PATTERN: Final = re.compile(_DIGEST)
_TAG_PATTERN: Final = re.compile(_TAG)


class Reference(Struct, frozen=True, gc=False):
    """A normalised image reference. Its text, parsed again, gives an equal one.

    Attributes:
        registry: host, lower case, with the port unless it is 443.
        path: repository within the registry; on Docker Hub with `library/` where the name had no other.
        tag: as written; `latest` where neither tag nor digest was; None beside a lone digest.
        digest: `sha256:…`, or None.
    """

    registry: str
    path: str
    tag: str | None
    digest: str | None

    @property
    def repository(self) -> str:
        """Registry and path, as every index of the snapshot is keyed."""
        return f"{self.registry}/{self.path}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.path}{tag}{digest}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what a workload names.

        Raises:
            InvalidReferenceError: the kubelet would not accept the text either (reason InvalidImageName).
        """
        reference = cls.parse_bare(text)
        if reference.tag or reference.digest:
            return reference
        return cls(reference.registry, reference.path, "latest", None)

    @classmethod
    def parse_bare(cls, text: str) -> Self:
        """Parse without the default tag: neither tag nor digest stays so.

        Raises:
            InvalidReferenceError: the text is not in the grammar; the error says which part.
        """
        usual = _USUAL_PATTERN.fullmatch(text) if len(text) <= REPOSITORY_PATH_CHARACTERS else None
        if usual and usual[1] not in DOCKER_HUB_NAMES:
            return cls(*usual.groups())
        return cls._parse_unusual(text)

    @classmethod
    def _parse_unusual(cls, text: str) -> Self:
        """Parse any text. Raises InvalidReferenceError."""
        if len(text) > REFERENCE_CHARACTERS:
            raise InvalidReferenceError(f"a reference has at most {REFERENCE_CHARACTERS} characters")
        if _IDENTIFIER_PATTERN.fullmatch(text):
            raise InvalidReferenceError("an image ID is not a reference: name a repository")
        host, rest = _split_host(text)
        match = _REST_PATTERN.fullmatch(rest)
        if match is None or (host and not _HOST_PATTERN.fullmatch(host)):
            raise InvalidReferenceError(_say_what_is_wrong(host, rest))
        path, tag, digest = match.group("path", "tag", "digest")
        try:
            registry = normalise_registry(host or DOCKER_HUB)
        except AddressValueError as error:
            raise InvalidReferenceError(f"the registry is not an IP address: {error}") from error
        path = normalise_path(registry, path)
        if len(path) > REPOSITORY_PATH_CHARACTERS:
            raise InvalidReferenceError(f"a repository's path has at most {REPOSITORY_PATH_CHARACTERS} characters")
        return cls(registry, path, tag, digest)


def normalise_registry(host: str) -> str:
    """Fold a host name to the one form that every spelling of it shares.

    Raises:
        AddressValueError: brackets without an IPv6 address, or numbers that are not four decimal ones.

    A single label that is a host only because of its port or its upper case keeps `:443`: without it, its text would
    read as the first part of a path on Docker Hub.
    """
    host_name, port = _split_port(host.lower())
    name = host_name if port in ("", "443") else f"{host_name}:{port}"
    if name in DOCKER_HUB_NAMES:
        return DOCKER_HUB
    return name if _is_host(name) else name + _HTTPS_PORT


def _split_port(host: str) -> tuple[str, str]:
    """Split host and port; Go's dialler reads `:0443` as 443 and every spelling of an IP address as one."""
    if host.startswith("["):
        address, _, port = host[1:].partition("]")
        return _spell_ipv6(address), port.removeprefix(":").lstrip("0")
    name, _, port = host.partition(":")
    return _spell_ipv4(name) if _NUMERIC_HOST.fullmatch(name) else name, port.lstrip("0")


def _spell_ipv6(address: str) -> str:
    """Spell an IPv6 address in one way (RFC 5952); one that maps an IPv4 address reaches the host of that address.

    Other forms that carry one reach it through a translator, if the network has one: they are refused.
    """
    parsed = IPv6Address(address)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    if int(parsed) > 1 and any(parsed in network for network in _TRANSLATED):
        raise AddressValueError(f"{address} carries an IPv4 address: write that, or the registry's name")
    return f"[{parsed.compressed}]"


def _spell_ipv4(numbers: str) -> str:
    """Check that an IPv4 address is four decimal numbers without leading zeros: all resolvers agree on that alone."""
    try:
        return str(IPv4Address(numbers))
    except AddressValueError as error:
        raise AddressValueError(f"write {numbers!r} as four decimal numbers, such as 10.0.0.5, or as a name") from error


def normalise_path(registry: str, path: str) -> str:
    """Add `library/` where Docker Hub's path has one part."""
    return f"library/{path}" if registry == DOCKER_HUB and "/" not in path else path


def names_registry(text: str) -> bool:
    """Tell whether the text of a reference names its registry.

    Without one containerd asks docker.io; CRI-O and Podman ask what the node's registries.conf lists
    (containers-registries.conf(5), `unqualified-search-registries` and `[aliases]`).
    """
    host, _ = _split_host(text)
    return bool(host)


def is_digest(text: str) -> bool:
    """Tell whether the text is a digest that containerd accepts, in lower case and of full length."""
    return _DIGEST_PATTERN.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Tell whether the text is a tag."""
    return _TAG_PATTERN.fullmatch(text) is not None


def _is_host(first_part: str) -> bool:
    """Tell whether the part before the first slash is a host (distribution/reference, `splitDockerDomain`)."""
    return "." in first_part or ":" in first_part or first_part == "localhost" or first_part.lower() != first_part


def _split_host(text: str) -> tuple[str, str]:
    first_part, slash, rest = text.partition("/")
    return (first_part, rest) if slash and _is_host(first_part) else ("", text)


def _say_what_is_wrong(host: str, rest: str) -> str:
    name, at, digest = rest.partition("@")
    path, colon, tag = name.partition(":")
    match = _REST_PATTERN.fullmatch(path)
    if not host and not rest:
        return "the image is empty"
    if host and not _HOST_PATTERN.fullmatch(host):
        return "the registry is not a host name"
    if match is None:
        return "a repository has lower-case letters, digits and single separators (. _ - __) between them"
    if at and not is_digest(digest):
        return "a digest is sha256: and 64 lower-case hexadecimal digits"
    return f"a tag has letters, digits, _ . and -, at most 128{'' if colon and tag else ', and is not empty'}"
