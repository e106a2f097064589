"""What a program is given: nothing of the directory we were started in, of HOME, or of our environment."""

import base64
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from patchgate.patcher.oci.credentials import Credentials
from patchgate.patcher.program import run_program
from patchgate.patcher.room import Rooms, choose_environment, find_program


def basic(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def make_rooms(directory: Path, config: object, environment: dict[str, str] | None = None) -> Rooms:
    docker = directory / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps(config))
    helpers = {"PATH": f"{directory}:/usr/bin:/bin"}
    return Rooms(directory, environment or {}, Credentials(docker, helpers, threading.Event()).write)


def test_a_program_finds_nothing_of_the_directory_that_we_were_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home-of-mine"
    for place in (tmp_path, home):
        place.mkdir(exist_ok=True)
        for name in (".trivyignore", ".trivyignore.yaml", "trivy.yaml", ".trivy", ".copa"):
            (place / name).write_text("CVE-2026-0001\n")
    ours = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    ours |= {"TRIVY_CONFIG": str(tmp_path / "trivy.yaml"), "COPA_EXPERIMENTAL": "1", "DOCKER_HOST": "tcp://x:1"}
    ours |= {"AWS_SECRET_ACCESS_KEY": "of-a-cloud", "GOOGLE_APPLICATION_CREDENTIALS": "/of/a/cloud"}
    rooms = make_rooms(tmp_path, {}, ours)
    with rooms.open(own={"TRIVY_OWN": "1"}) as room:
        finished = run_program(
            ["/bin/sh", "-c", "pwd; ls -A . $HOME; env"],
            environment=room.environment,
            directory=room.work,
            limit_seconds=60,
            stop=threading.Event(),
        )
        work, *listed = finished.output.splitlines()
        assert work == str(room.work)
    assert "trivy" not in " ".join(line for line in listed if not line.startswith("TRIVY_OWN"))
    names = {line.partition("=")[0] for line in listed if "=" in line} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names == {"PATH", "HOME", "TMPDIR", "DOCKER_CONFIG", "TRIVY_OWN"}
    assert not room.work.exists()


def test_two_calls_share_no_directory(tmp_path: Path) -> None:
    rooms = make_rooms(tmp_path, {})
    with rooms.open() as one, rooms.open() as other:
        assert one.work != other.work
        assert not list(one.work.iterdir())


def test_certificates_are_found_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = choose_environment({"SSL_CERT_FILE": "ca.crt", "https_proxy": "http://p:1", "HOME": "/root"})
    assert chosen == {"SSL_CERT_FILE": f"{tmp_path}/ca.crt", "https_proxy": "http://p:1"}
    assert (find_program("./bin/trivy"), find_program("trivy")) == (f"{tmp_path}/bin/trivy", "trivy")


def read_logins(rooms: Rooms, *repositories: str, with_helpers: bool = False) -> dict[str, dict[str, str]]:
    with rooms.open(repositories, with_helpers=with_helpers) as room:
        file = Path(room.environment["DOCKER_CONFIG"]) / "config.json"
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        written: dict[str, dict[str, dict[str, str]]] = json.loads(file.read_bytes())
    assert written.keys() == {"auths"}
    return written["auths"]


def test_a_program_gets_our_logins_by_the_names_that_it_looks_for(tmp_path: Path) -> None:
    config = {
        "auths": {
            "https://GITLAB.example.com:443/v2/": {"auth": "cm9ib3Q6cw"},
            "docker.io": basic("hub:s"),
            "*.dkr.ecr.eu-central-1.amazonaws.com": basic("AWS:x"),
            "old.example.com": None,
            "broken.example.com": {"auth": "%%%"},
            "azure.example.com": {"identitytoken": "refresh-me", "auth": "MDAwOg=="},
        }
    }
    rooms = make_rooms(tmp_path, config)
    assert read_logins(rooms, "1.dkr.ecr.eu-central-1.amazonaws.com/shop/api") == {
        "gitlab.example.com": basic("robot:s"),
        "https://index.docker.io/v1/": basic("hub:s"),
        "1.dkr.ecr.eu-central-1.amazonaws.com": basic("AWS:x"),
        "azure.example.com": {"identitytoken": "refresh-me"},
    }


def test_of_logins_by_path_a_program_gets_the_one_of_its_repository(tmp_path: Path) -> None:
    paths = {f"registry.gitlab.example.com/shop/{name}": basic(f"deploy+{name}:s") for name in ("api", "web")}
    rooms = make_rooms(tmp_path, {"auths": paths})
    assert read_logins(rooms, "registry.gitlab.example.com/shop/web") == {
        "registry.gitlab.example.com": basic("deploy+web:s")
    }
    assert read_logins(rooms, "registry.gitlab.example.com/other/web") == {}


def test_what_helpers_keep_is_asked_of_them_before_a_program_starts(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(
        f'#!/bin/sh\nread -r host\necho "$host" >> {tmp_path}/asked\n[ "$host" = fails.example.com ] && exit 3\n'
        'echo "{\\"Username\\": \\"robot\\", \\"Secret\\": \\"of-$host\\"}"\n'
    )
    helper.chmod(stat.S_IRWXU)
    names = ("ghcr.io", "fails.example.com", "registry.example.com")
    rooms = make_rooms(tmp_path, {"credHelpers": dict.fromkeys(names, "tests")})
    wanted = {"registry.example.com": basic("robot:of-registry.example.com")}
    assert read_logins(rooms, "registry.example.com/shop/api") == wanted
    for _ in range(2):
        assert read_logins(rooms, "registry.example.com/shop/api", with_helpers=True) == wanted | {
            "ghcr.io": basic("robot:of-ghcr.io")
        }
    assert (tmp_path / "asked").read_text().split().count("fails.example.com") == 1
