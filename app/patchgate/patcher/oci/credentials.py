"""Finds who we are at a registry: in the docker config, as Docker, Copa and Trivy find it.

`credHelpers` of a registry before its `auths`, before `credsStore`
(https://docs.docker.com/reference/cli/docker/login/). The config is read anew each time: a token in it may be renewed
while a run lasts. Touches that file and starts helpers; sends nothing.
"""

import base64
import binascii
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import RegistryError, SetupError
from patchgate.limits import CREDENTIAL_HELPER_SECONDS
from patchgate.patcher.program import run_program
from patchgate.policy.reference import DOCKER_HUB, DOCKER_HUB_NAMES
from patchgate.validation import say_first_error

_DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
_TOKEN_USER: Final = "<token>"  # noqa: S105 -- what a helper calls an identity token (docker-credential-helpers)
_NO_LOGIN: Final = "credentials not found"
_HELPER_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password, or an identity token that is changed for others (OAuth 2, `refresh_token`)."""

    user: str
    secret: str = field(repr=False)
    is_identity_token: bool = False

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _AuthSchema(_Schema):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""

    def read_login(self) -> Login | None:
        if self.identitytoken:
            return Login("", self.identitytoken, is_identity_token=True)
        user, _, password = _decode(self.auth).partition(":") if self.auth else (self.username, "", self.password)
        return Login(user, password.rstrip("\0")) if user else None


class _ConfigSchema(_Schema):
    auths: dict[str, _AuthSchema] = {}
    helpers: dict[str, str] = Field(default={}, alias="credHelpers")
    store: str = Field(default="", alias="credsStore")


class _HelperSchema(_Schema):
    user: str = Field(default="", alias="Username")
    secret: str = Field(default="", alias="Secret")


class Credentials:
    """The logins of one docker config."""

    def __init__(self, directory: Path, environment: Mapping[str, str], stop: threading.Event) -> None:
        """directory: of `config.json`; none there means no logins. environment: of the helpers."""
        self._file = directory / "config.json"
        self._environment = environment
        self._stop = stop
        self._secrets: set[str] = set()

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret that was seen, so that nobody else sees it."""
        return frozenset(self._secrets)

    def find(self, registry: str) -> Login | None:
        """Find the login of a registry (its normalised name); None where there is none.

        Raises:
            RegistryError: the config cannot be read, or a helper fails.
        """
        config = self._read()
        keys = tuple(_list_keys(registry))
        helper = next((config.helpers[key] for key in keys if key in config.helpers), "")
        if helper:
            return self._ask_helper(helper, keys[0])
        for key in keys:
            login = config.auths[key].read_login() if key in config.auths else None
            if login:
                return self._know(login)
        return self._ask_helper(config.store, keys[0]) if config.store else None

    def learn_secrets(self) -> None:
        """Take notice of every secret that the config holds.

        Raises:
            RegistryError: it cannot be read.
        """
        for auth in self._read().auths.values():
            login = auth.read_login()
            if login:
                self._know(login)

    def _read(self) -> _ConfigSchema:
        try:
            return _ConfigSchema.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return _ConfigSchema()
        except OSError as error:
            raise RegistryError(f"cannot read the docker config {self._file}: {error.strerror}") from error
        except ValidationError as error:
            raise RegistryError(f"the docker config {self._file} is wrong: {say_first_error(error)}") from None

    def _ask_helper(self, name: str, key: str) -> Login | None:
        """Ask `docker-credential-NAME get` (https://github.com/docker/docker-credential-helpers)."""
        if not name or not _HELPER_LETTERS.issuperset(name):
            raise RegistryError(f"the docker config {self._file} names a credential helper that cannot be one")
        program = f"docker-credential-{name}"
        try:
            finished = run_program(
                (program, "get"),
                environment=self._environment,
                limit_seconds=CREDENTIAL_HELPER_SECONDS,
                stop=self._stop,
                text=key,
            )
        except SetupError as error:
            raise RegistryError(str(error)) from error
        if finished.exit_code != 0 and _NO_LOGIN in finished.output:
            return None
        if finished.exit_code != 0:  # what it says may be a secret
            raise RegistryError(
                f"{program} gives no credentials for {key} (exit code {finished.exit_code}): run it by hand"
            )
        try:
            answer = _HelperSchema.model_validate_json(finished.output)
        except ValidationError:
            raise RegistryError(f"{program} does not answer as a docker credential helper") from None
        return self._know(Login(answer.user, answer.secret, is_identity_token=answer.user == _TOKEN_USER))

    def _know(self, login: Login) -> Login:
        self._secrets.update((login.secret, login.basic.removeprefix("Basic ")))
        return login


def find_docker_config(environment: Mapping[str, str]) -> Path:
    """Find the directory of the docker config, as Docker does."""
    return Path(environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/")) / ".docker")


def _list_keys(registry: str) -> Iterator[str]:
    """List how a config may name a registry, the usual name first."""
    if registry == DOCKER_HUB:
        yield _DOCKER_HUB_KEY
    for name in sorted(DOCKER_HUB_NAMES) if registry == DOCKER_HUB else [registry]:
        yield name
        for scheme in ("https://", "http://"):
            for path in ("", "/", "/v1/", "/v2/", "/v1", "/v2"):
                yield f"{scheme}{name}{path}"


def _decode(auth: str) -> str:
    try:
        return base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
