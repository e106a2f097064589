"""A place where `patchgate patch` is run: a directory of ConfigMaps, a database, and what the run said and asked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from patchgate.configmaps.configmap import Names
from tests.die_with_parent import die_with_parent
from tests.patch.bench import Bench
from tests.patch.registry import Registry, Request, write_docker_config
from tests.plane.program import PATH

NAMES = Names()
RUN_SECONDS = 300.0
ASK_SECONDS = 60.0


@dataclass(frozen=True)
class Run:
    """A run that ended.

    Attributes:
        exit_code: as a shell sees it.
        answer: what it printed: JSON, or an empty one if it did not start.
        log: the lines of its log.
        text: everything it printed, to both.
        requests: what the shared registry was asked meanwhile.
        builds: what BuildKit built meanwhile.
    """

    exit_code: int
    answer: dict[str, Any]
    log: list[dict[str, Any]]
    text: str
    requests: list[Request] = field(default_factory=list)
    builds: set[str] = field(default_factory=set)

    @property
    def results(self) -> dict[str, str]:
        """Image → result."""
        return {image["image"]: image["result"] for image in self.answer["images"]}

    @property
    def messages(self) -> dict[str, str]:
        """Image → message."""
        return {image["image"]: image["message"] for image in self.answer["images"]}

    def count(self, method: str, kind: str, reference: str = "") -> int:
        """Count requests whose reference holds the text."""
        return sum(
            (request.method, request.kind) == (method, kind) and reference in request.reference
            for request in self.requests
        )


@dataclass
class Site:
    """A directory of ConfigMaps with a bench.

    Attributes:
        source: the directory.
        database: the folder that Trivy takes as its cache.
        docker_config: folder of the config.json; without logins at first.
        flags: what every run is told besides.
        temporary: where runs may write what they will remove.
        patchgate: how it is started.
        run_seconds: how long a run may take.
    """

    bench: Bench
    source: Path
    database: Path
    docker_config: Path
    temporary: Path
    flags: list[str] = field(default_factory=list)
    patchgate: tuple[str, ...] = (sys.executable, "-m", "patchgate")
    run_seconds: float = RUN_SECONDS

    @classmethod
    def make(cls, bench: Bench, database: Path) -> "Site":
        source, temporary = bench.make_folder(), bench.make_folder()
        return cls(bench, source, database, write_docker_config(bench.make_folder(), {}), temporary)

    def list_images(self, *lines: str, **policy: str) -> None:
        """Write the image list; every severity counts unless the policy says otherwise."""
        data = {"images.txt": "".join(f"{line}\n" for line in lines), "severity_threshold": "LOW", **policy}
        self.write_configmap(NAMES.image_list, data)

    def write_configmap(self, name: str, data: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        metadata = {"name": name, "labels": dict(labels or {})}
        configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}
        (self.source / f"{name}.yaml").write_text(yaml.safe_dump(configmap), encoding="utf-8")

    def patch(self, *arguments: str, **environment: str) -> Run:
        """Run `patchgate patch` to its end."""
        mark, builds = self.bench.registry.mark(), self.bench.buildkit.list_builds()
        with self.start(*arguments, **environment) as process:
            run = self.finish(process)
        requests, built = self.bench.registry.read_requests(mark), self.bench.buildkit.list_builds() - builds
        return replace(run, requests=requests, builds=built)

    def finish(self, process: "subprocess.Popen[str]") -> Run:
        """Wait for the end of one that was started; what it asked and built is not told."""
        said, logged = process.communicate(timeout=self.run_seconds)
        return Run(
            exit_code=process.returncode,
            answer=json.loads(said) if said else {},
            log=[json.loads(line) for line in logged.splitlines() if line.startswith("{")],
            text=said + logged,
        )

    @contextmanager
    def start(self, *arguments: str, **environment: str) -> "Iterator[subprocess.Popen[str]]":
        """Start `patchgate patch`; it is ended with the block if it has not."""
        bench = self.bench
        command = [
            *(*self.patchgate, "patch", "--source", str(self.source), "-o", "json"),
            *("--trivy", str(bench.programs.trivy), "--trivy-cache", str(self.database), "--skip-db-update"),
            *("--copa", str(bench.programs.copa), "--buildkit", bench.buildkit.address),
            *("--plain-http", bench.registry.address, "--docker-config", str(self.docker_config)),
            *(*self.flags, *arguments),
        ]
        with subprocess.Popen(
            [*die_with_parent(), *command],
            env=_environment() | {"TMPDIR": str(self.temporary), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def read_record(self, image: str) -> dict[str, Any]:
        """Read the record of REPO:TAG."""
        record: dict[str, Any] = json.loads(self.read_data()["records.json"])["records"][image]
        return record

    def read_data(self) -> dict[str, str]:
        """Read the ConfigMap of records."""
        text = (self.source / f"{NAMES.records}.yaml").read_text(encoding="utf-8")
        data: dict[str, str] = yaml.safe_load(text)["data"]
        return data

    def check(self, *images: str) -> dict[str, str]:
        """Ask what the gate says of images, on this very directory; gives image → reason."""
        command = [sys.executable, "-m", "patchgate", "check", "--source", str(self.source), "-o", "json", *images]
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return {verdict["image"]: verdict["reason"] for verdict in json.loads(done.stdout)["images"]}

    def log_in(self, registry: Registry, login: tuple[str, str]) -> None:
        """Give the patcher a login of a registry."""
        write_docker_config(self.docker_config, {registry.address: login})


def approved(record: Mapping[str, Any]) -> str:
    """Name what a record approves: REPO:TAG@DIGEST."""
    return f"{record['approved_reference']}@{record['approved_digest']}"


def _environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if name.startswith(("COV", "COVERAGE"))}
    return {"PATH": PATH, "HOME": os.environ["HOME"], **kept}
