"""The images of others that we start from or run, pinned by digest: where each pin is, and how it is renewed.

`python -m tools.image_pins` asks each registry what the tag names now, and writes that digest in the place of the old
one; `git diff` then shows what upstream rebuilt.
"""

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from patchgate.errors import RegistryError
from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.registry import OciRegistry
from patchgate.patcher.oci.retry import Pace
from patchgate.patcher.oci.session import Session
from patchgate.patcher.oci.transport import Transport
from tools.values_table import TABLE, VALUES, write_table

DOCKERFILE: Final = Path(__file__).parent.parent / "Dockerfile"
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_BASE: Final = re.compile(rf"^ARG \w+_IMAGE=([^\s:]+):([^\s@]+)@({DIGEST.pattern})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One image of others.

    Attributes:
        file: that names it, once.
        repository: with its registry, such as `docker.io/library/python`.
        tag: of one release, which its maintainers may still rebuild.
        digest: of the index that the tag named when it was pinned.
    """

    file: Path
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


def find_pins(dockerfile: Path = DOCKERFILE, values: Path = VALUES) -> Iterator[Pin]:
    """Find the bases of the Dockerfile, and the image of BuildKit in the chart."""
    for found in _BASE.findall(dockerfile.read_text(encoding="utf-8")):
        yield Pin(dockerfile, *found)
    image = yaml.safe_load(values.read_text(encoding="utf-8"))["buildkit"]["image"]
    yield Pin(values, image["repository"], image["tag"], image["digest"])


def renew(pin: Pin, find_digest: Callable[[str, str], str | None]) -> str:
    """Write the digest that the tag names now in the place of the old one; return what was found, for a person.

    find_digest: asks a registry for the digest of a repository's tag; None: there is no such tag.

    Raises:
        RegistryError: the registry was not reached, or does not know the tag. The file is left as it is.
    """
    digest = find_digest(pin.repository, pin.tag)
    if digest is None:
        raise RegistryError(f"{pin} is not in its registry")
    if digest == pin.digest:
        return f"{pin} still is {digest}"
    text = pin.file.read_text(encoding="utf-8")
    pin.file.write_text(text.replace(pin.digest, digest), encoding="utf-8")
    return f"{pin} is {digest} now; it was {pin.digest}"


def main() -> int:
    """Renew every pin, by the docker config and the proxies of this machine."""
    hosts, stop = Hosts(), threading.Event()
    with closing(Transport(os.environ, Pace())) as transport:
        credentials = Credentials(Path.home() / ".docker", os.environ, stop)
        registry = OciRegistry(Session(hosts, credentials, transport, Pace(), stop), hosts)
        try:
            for pin in find_pins():
                print(renew(pin, registry.find_digest))
        except RegistryError as error:
            print(error, file=sys.stderr)
            return 1
    TABLE.write_text(write_table(VALUES.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
