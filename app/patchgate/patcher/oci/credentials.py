"""Finds who we are at a registry: in the docker config, as Docker and the kubelet find it.

`credHelpers` of a registry before its `auths`, before `credsStore`
(https://docs.docker.com/reference/cli/docker/login/). The config is read anew each time: a token in it may be renewed
while a run lasts. Trivy and Copa get a config that is written for each call, so that all three agree. Touches these
files and starts helpers; sends nothing.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import RegistryError, SetupError
from patchgate.limits import CREDENTIAL_HELPER_SECONDS
from patchgate.patcher.oci.docker_config import (
    DOCKER_HUB_KEY,
    DockerConfig,
    Login,
    UndecodableError,
    read_docker_config,
    write_docker_config,
)
from patchgate.patcher.program import run_program
from patchgate.policy.reference import DOCKER_HUB
from patchgate.validation import say_first_error

_FILES: Final = ("config.json", ".dockerconfigjson", ".dockercfg")
"""Docker's, and the keys of Kubernetes' two types of Secrets, the first that is there."""
_TOKEN_USER: Final = "<token>"  # noqa: S105 -- what a helper calls an identity token (docker-credential-helpers)
_NO_LOGIN: Final = "credentials not found"
_HELPER_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class _HelperSchema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    user: str = Field(default="", alias="Username")
    secret: str = Field(default="", alias="Secret")


class Credentials:
    """The logins of one docker config."""

    def __init__(self, directory: Path, environment: Mapping[str, str], stop: threading.Event) -> None:
        """directory: of the config, or the file itself; none there means no logins. environment: of the helpers."""
        self._place = directory
        self._environment = environment
        self._stop = stop
        self._secrets: set[str] = set()
        self._failed: set[str] = set()

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret that was seen, so that nobody else sees it."""
        return frozenset(self._secrets)

    def find(self, registry: str, path: str = "") -> Login | None:
        """Find the login of a repository (its normalised registry and path); None where there is none.

        Raises:
            RegistryError: the config or the login in it cannot be read, or a helper fails.
        """
        config = self._read()
        if helper := config.helpers.get(registry, ""):
            return self._ask_helper(helper, registry)
        try:
            login = config.find_login(registry, path)
        except UndecodableError:
            raise RegistryError(
                f"the docker config {self._file} has an entry for {registry} whose auth cannot be decoded:"
                " log in again, or write base64 of NAME:PASSWORD"
            ) from None
        if login:
            return self._know(login)
        return self._ask_helper(config.store, registry) if config.store else None

    def learn_secrets(self) -> None:
        """Take notice of every secret that the config holds.

        Raises:
            RegistryError: it cannot be read.
        """
        for login in self._read().list_secrets():
            self._know(login)

    def write(self, directory: Path, repositories: Sequence[str], with_helpers: bool = False) -> None:  # noqa: FBT001, FBT002
        """Write a docker config for one call of a program, which looks at a registry's name alone.

        repositories: whose logins it needs (`REGISTRY/PATH`); of two in one registry the last decides.
        with_helpers: whether logins of other registries are asked of their helpers; those that fail are left out.

        Raises:
            RegistryError: a login that it needs cannot be read.
        """
        config = self._read()
        logins = {host: self._know(login) for host, login in config.list_logins() if host not in config.helpers}
        if with_helpers:
            names = config.helpers if not config.store else {*config.helpers, *(each.host for each in config.entries)}
            for registry in sorted(set(names) - logins.keys() - self._failed):
                if found := self._find_leniently(registry):
                    logins[registry] = found
        for repository in repositories:
            registry, _, path = repository.partition("/")
            if found := self.find(registry, path):
                logins[registry] = found
        (directory / "config.json").write_bytes(write_docker_config(logins))

    def _find_leniently(self, registry: str) -> Login | None:
        try:
            return self.find(registry)
        except RegistryError:
            self._failed.add(registry)
            return None

    @property
    def _file(self) -> Path:
        if self._place.is_file():
            return self._place
        files = (self._place / name for name in _FILES)
        return next((file for file in files if file.exists()), self._place / _FILES[0])

    def _read(self) -> DockerConfig:
        file = self._file
        try:
            return read_docker_config(file.read_bytes())
        except FileNotFoundError:
            return DockerConfig()
        except OSError as error:
            raise RegistryError(f"cannot read the docker config {file}: {error.strerror}") from error
        except ValidationError as error:
            raise RegistryError(f"the docker config {file} is wrong: {say_first_error(error)}") from None

    def _ask_helper(self, name: str, registry: str) -> Login | None:
        """Ask `docker-credential-NAME get` (https://github.com/docker/docker-credential-helpers)."""
        if not name or not _HELPER_LETTERS.issuperset(name):
            raise RegistryError(f"the docker config {self._file} names a credential helper that cannot be one")
        program = f"docker-credential-{name}"
        key = DOCKER_HUB_KEY if registry == DOCKER_HUB else registry
        try:
            finished = run_program(
                (program, "get"),
                environment=self._environment,
                directory=Path("/"),
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
    """Find the directory of the docker config, as Docker does; `~/.dockercfg` where that alone is there."""
    if named := environment.get("DOCKER_CONFIG"):
        return Path(named)
    home = Path(environment.get("HOME", "/"))
    usual, legacy = home / ".docker", home / ".dockercfg"
    return legacy if legacy.is_file() and not (usual / _FILES[0]).exists() else usual
