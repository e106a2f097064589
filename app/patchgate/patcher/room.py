"""Gives each call of a program a room of its own: empty directories, a chosen environment, and the logins it needs.

Programs read settings from where they stand: Trivy obeys `.trivyignore` and `trivy.yaml` of the working directory and
`~/.trivy`, both of them variables of their own (`TRIVY_SEVERITY` would hide findings, `COPA_EXPERIMENTAL` patches what
is not scanned for). So working directory and HOME are new and empty, and the environment is made of what is named here.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WriteLogins = Callable[[Path, Sequence[str], bool], None]
"""Writes a docker config to a directory: the logins of repositories, and those that helpers keep where it is asked."""

_PASSED: Final = frozenset({"PATH", "LANG"})
_PATHS: Final = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR"})
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})


@dataclass(frozen=True, slots=True)
class Room:
    """What one call of a program is given.

    Attributes:
        work: its working directory, empty.
        environment: all its variables.
    """

    work: Path
    environment: Mapping[str, str]


class Rooms:
    """Makes rooms; safe for threads."""

    def __init__(self, directory: Path, environment: Mapping[str, str], write_logins: WriteLogins) -> None:
        """directory: of this run alone. environment: ours, of which little is passed on."""
        self._directory = directory
        self._passed = choose_environment(environment)
        self._write_logins = write_logins

    @contextmanager
    def open(
        self, repositories: Sequence[str] = (), *, with_helpers: bool = False, own: Mapping[str, str] | None = None
    ) -> Iterator[Room]:
        """Open a room for as long as the block lasts.

        repositories: whose logins the program needs (`REGISTRY/PATH`), as it names them.
        with_helpers: whether logins of other registries, which credential helpers keep, are needed too.
        own: the program's own variables.

        Raises:
            RegistryError: a login cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="room-", dir=self._directory) as directory:
            names = ("work", "home", "tmp", "docker")
            work, home, temporary, docker = (Path(directory) / name for name in names)
            for each in (work, home, temporary, docker):
                each.mkdir(mode=0o700)
            self._write_logins(docker, repositories, with_helpers)
            places = {"HOME": str(home), "TMPDIR": str(temporary), "DOCKER_CONFIG": str(docker)}
            yield Room(work, {**self._passed, **places, **(own or {})})


def choose_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Choose what a program gets of our environment; paths become absolute, as it has another working directory."""
    passed = {name: text for name, text in environment.items() if name in _PASSED or name.upper() in _PROXIES}
    return passed | {name: str(Path(environment[name]).absolute()) for name in sorted(_PATHS & environment.keys())}


def find_program(name: str) -> str:
    """Give a program's name as it can be started from any working directory: a path becomes absolute."""
    return str(Path(name).absolute()) if "/" in name else name
