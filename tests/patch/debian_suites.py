"""Where this machine has its Debian packages from, asked from its apt: no file here names a source."""

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

FORMAT = "$(IDENTIFIER) $(REPO_URI) $(RELEASE) $(COMPONENT)"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite of Debian's archive; release: such as bookworm-security."""

    uri: str
    release: str

    @property
    def line(self) -> str:
        """As sources.list(5) has it."""
        return f"deb {self.uri} {self.release} main"


@dataclass(frozen=True, slots=True)
class Suites:
    """The suites of one Debian; first: what it was released with, before any update."""

    codename: str
    first: Suite
    updates: tuple[Suite, ...]

    @property
    def sources_list(self) -> str:
        return "".join(f"{suite.line}\n" for suite in (self.first, *self.updates))


def read_suites() -> Suites:
    """Read this machine's: component main alone."""
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    said = run("apt-get", "indextargets", "--format", FORMAT)
    targets = {tuple(line.split()[1:]) for line in said.splitlines() if line.startswith("Packages ")}
    found = [Suite(uri, release) for uri, release, component in sorted(targets) if component == "main"]
    first = [suite for suite in found if suite.release == codename]
    updates = tuple(suite for suite in found if suite.release.startswith(f"{codename}-"))
    assert first, f"this machine's apt has no suite {codename}: {found}"
    assert updates, f"this machine's apt has no updates of {codename}: {found}"
    return Suites(codename, first[0], updates)


def run(*command: str, environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    """Run a program of Debian's; gives what it printed."""
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}"
    return done.stdout
