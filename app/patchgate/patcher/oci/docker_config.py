"""Reads a docker config as Docker and the kubelet do, and finds whose login it has for a repository. Pure.

Docker: https://github.com/docker/cli (`configfile`, `credentials.ConvertToHostname`). The kubelet:
k8s.io/kubernetes/pkg/credentialprovider (`DockerConfigJSON`, `BasicDockerKeyring`): keys with the beginning of a path,
`*` in a host's labels, the most specific key first, base64 with or without padding, the format of `.dockercfg`.
"""

import base64
import binascii
import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from patchgate.policy.reference import DOCKER_HUB, DOCKER_HUB_NAMES

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""How every docker config names Docker Hub."""
_API_PATHS: Final = ("/v1", "/v2")


class UndecodableError(ValueError):
    """An entry has an `auth` that is none."""


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password, or an identity token that is changed for others (OAuth 2, `refresh_token`).

    Attributes:
        path: beginning of the repositories' paths that it is for; empty for a whole registry.
    """

    user: str
    secret: str = field(repr=False)
    is_identity_token: bool = False
    path: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()

    def write(self) -> dict[str, str]:
        """Write an entry of `auths`."""
        if self.is_identity_token:
            return {"identitytoken": self.secret}
        return {"auth": self.basic.removeprefix("Basic ")}


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


def _none_is(default: object) -> BeforeValidator:
    """Read null as what is absent (Go's encoding/json)."""
    return BeforeValidator(lambda value: default if value is None else value)


_Text = Annotated[str, _none_is("")]


class _AuthSchema(_Schema):
    auth: _Text = ""
    username: _Text = ""
    password: _Text = ""
    identitytoken: _Text = ""

    def read_login(self, path: str) -> Login | None:
        """Read the login. Raises UndecodableError."""
        if self.identitytoken:
            return Login("", self.identitytoken, is_identity_token=True, path=path)
        if not self.auth.strip():
            return Login(self.username, self.password, path=path) if self.username else None
        user, colon, password = _decode(self.auth).partition(":")
        if not user or not colon:
            raise UndecodableError
        return Login(user, password.strip("\0"), path=path)


_Auth = Annotated[_AuthSchema, _none_is({})]
_Auths = Annotated[dict[str, _Auth], _none_is({})]
_LEGACY: Final = TypeAdapter(_Auths)


class _ConfigSchema(_Schema):
    auths: _Auths = {}
    helpers: Annotated[dict[str, _Text], _none_is({})] = Field(default={}, alias="credHelpers")
    store: _Text = Field(default="", alias="credsStore")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of `auths`.

    Attributes:
        host: registry in lower case, without the port of HTTPS, perhaps with `*`; Docker Hub by its one name.
        path: beginning of a repository's path; empty for all.
        is_usual: whether its key is the one that Docker writes; of several for one host that one decides.
    """

    host: str
    path: str
    is_usual: bool
    auth: _AuthSchema = field(repr=False)

    def fits(self, registry: str, path: str) -> bool:
        """Tell whether it is for a repository."""
        return _fits_host(self.host, registry) and (not self.path or f"{path}/".startswith(f"{self.path}/"))

    @property
    def order(self) -> tuple[bool, int, bool, str]:
        """Order: a host without `*` first, then the longest path, then the usual key."""
        return "*" in self.host, -len(self.path), not self.is_usual, self.host


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """A docker config.

    Attributes:
        entries: the most specific first.
        helpers: registry → name of its credential helper.
        store: name of the helper that has all other logins; empty for none.
    """

    entries: tuple[Entry, ...] = ()
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    def find_login(self, registry: str, path: str) -> Login | None:
        """Find the login of a repository among `auths`. Raises UndecodableError."""
        fitting = [entry for entry in self.entries if entry.fits(registry, path)]
        of_host = [entry for entry in self.entries if entry.host == registry]
        if not fitting and len(of_host) == 1:  # Docker looks at the host alone
            fitting = of_host
        logins = (entry.auth.read_login(entry.path) for entry in fitting)
        return next((login for login in logins if login), None)

    def list_logins(self) -> Iterator[tuple[str, Login]]:
        """List every registry with the login that `auths` have for all its repositories; those that are none, not."""
        for host in dict.fromkeys(entry.host for entry in self.entries if "*" not in entry.host):
            try:
                login = self.find_login(host, "")
            except UndecodableError:
                continue
            if login:
                yield host, login

    def list_secrets(self) -> Iterator[Login]:
        """List every login there is."""
        for entry in self.entries:
            try:
                login = entry.auth.read_login(entry.path)
            except UndecodableError:
                continue
            if login:
                yield login


def read_docker_config(content: bytes) -> DockerConfig:
    """Read `config.json`, `.dockerconfigjson` or the `.dockercfg` of before 2015, whose keys are registries.

    Raises:
        ValidationError: it is not valid (pydantic's, with what is wrong).
    """
    if not content.strip():  # as `touch` makes it
        return DockerConfig()
    if _is_legacy(content):
        return DockerConfig(_order(_LEGACY.validate_json(content)))
    config = _ConfigSchema.model_validate_json(content)
    helpers = {_read_key(key)[0]: helper for key, helper in config.helpers.items()}
    return DockerConfig(_order(config.auths), helpers, config.store)


def write_docker_config(logins: Mapping[str, Login]) -> bytes:
    """Write a docker config of registry → login."""
    auths = {DOCKER_HUB_KEY if host == DOCKER_HUB else host: login.write() for host, login in logins.items()}
    return json.dumps({"auths": auths}).encode()


def _is_legacy(content: bytes) -> bool:
    try:
        held: Any = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(held, dict) or {"auths", "credHelpers", "credsStore"} & held.keys():
        return False
    return any(isinstance(each, dict) and {"auth", "username"} & each.keys() for each in held.values())


def _order(auths: Mapping[str, _AuthSchema]) -> tuple[Entry, ...]:
    entries = [Entry(*_read_key(key), _is_usual(key), auth) for key, auth in auths.items()]
    return tuple(sorted(entries, key=lambda entry: entry.order))


def _read_key(key: str) -> tuple[str, str]:
    """Read a key: `HOST[:PORT][/PATH]`, perhaps with a scheme, perhaps with the path of an old API."""
    host, slash, rest = key.strip().partition("://")[2 if "://" in key else 0].partition("/")
    host = host.lower().removesuffix(":443")
    path = slash + rest.rstrip("/")
    for api in _API_PATHS:
        if path.lower() == api or path.lower().startswith(f"{api}/"):
            path = path[len(api) :]
    return (DOCKER_HUB if host in DOCKER_HUB_NAMES else host), path.strip("/")


def _is_usual(key: str) -> bool:
    return key == DOCKER_HUB_KEY or (_read_key(key)[0] == key and key != DOCKER_HUB)


def _fits_host(pattern: str, registry: str) -> bool:
    """Tell whether a host's name fits; a `*` is for one label of it, and never for a port (kubelet, `URLsMatch`)."""
    if "*" not in pattern and "?" not in pattern and "[" not in pattern:
        return pattern == registry
    (pattern_host, _, pattern_port), (host, _, port) = pattern.partition(":"), registry.partition(":")
    wanted, given = pattern_host.split("."), host.split(".")
    return pattern_port == port and len(wanted) == len(given) and all(map(fnmatch.fnmatchcase, given, wanted))


def _decode(auth: str) -> str:
    """Decode base64 as Docker and the kubelet do: line breaks in it, with or without padding.

    Raises:
        UndecodableError: it cannot be decoded.
    """
    text = "".join(auth.split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        raise UndecodableError from None
