"""Docker configs as people have them, each with the logins that Docker and the kubelet find in it."""

import json
import threading
from pathlib import Path

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.oci.credentials import Credentials, find_docker_config

CASES = Path(__file__).parent / "docker_config"


def find(name: str, image: str) -> tuple[str, str] | None:
    registry, _, path = image.partition("/")
    login = Credentials(CASES / name, {}, threading.Event()).find(registry, path)
    return (login.user, login.secret) if login else None


@pytest.mark.parametrize(
    ("name", "image", "login"),
    [
        ("09-docker-config-port-443.json", "gitlab.example.com/shop/api", ("robot$ci", "s3cret")),
        ("10-docker-config-null.json", "registry.example.com/shop/api", ("robot$ci", "s3cret")),
        ("10-docker-config-null.json", "old.example.com/shop/api", None),
        ("19-docker-config-paths.json", "registry.gitlab.example.com/shop/api", ("deploy+api", "s3cret")),
        ("19-docker-config-paths.json", "registry.gitlab.example.com/shop/api/base", ("deploy+api", "s3cret")),
        ("19-docker-config-paths.json", "registry.gitlab.example.com/shop/web", ("deploy+web", "s3cret")),
        ("19-docker-config-paths.json", "registry.gitlab.example.com/shop/api2", None),
        ("19-docker-config-paths.json", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop", ("AWS", "x")),
        ("19-docker-config-paths.json", "dkr.ecr.eu-central-1.amazonaws.com/shop", None),
        ("19-docker-config-paths.json", "a.b.dkr.ecr.eu-central-1.amazonaws.com/shop", None),
        ("20-legacy.dockercfg", "docker.io/library/nginx", ("robot", "s3cret")),
        ("20-legacy.dockercfg", "registry.example.com/shop/api", ("robot", "s3cret")),
        ("21-unpadded-and-upper-case.json", "registry.example.com/shop/api", ("robot", "s3cret-1")),
        ("22-undecodable.json", "registry.example.com/shop/api", ("robot", "s3cret")),
    ],
)
def test_a_login_is_found_as_docker_and_the_kubelet_find_it(
    name: str, image: str, login: tuple[str, str] | None
) -> None:
    assert find(name, image) == login


def test_base64_with_line_breaks_is_read() -> None:
    found = find("11-docker-config-wrapped-base64.json", "registry.example.com/shop/api")
    assert found
    assert (found[0], set(found[1])) == ("AWS", {"x"})


@pytest.mark.parametrize("host", ["broken.example.com", "nobody.example.com"])
def test_an_entry_that_cannot_be_decoded_is_named_by_its_host_and_not_shown(host: str) -> None:
    with pytest.raises(RegistryError, match=f"has an entry for {host} whose auth cannot be decoded") as caught:
        find("22-undecodable.json", f"{host}/shop/api")
    assert "s3cret" not in str(caught.value)
    assert "bm8tY29sb24" not in str(caught.value)


@pytest.mark.parametrize("key", ["config.json", ".dockerconfigjson", ".dockercfg"])
def test_the_keys_of_kubernetes_secrets_are_files_of_a_config(tmp_path: Path, key: str) -> None:
    legacy = {"registry.example.com": {"username": "robot", "password": "s3cret"}}
    (tmp_path / key).write_text(json.dumps(legacy if key == ".dockercfg" else {"auths": legacy}))
    login = Credentials(tmp_path, {}, threading.Event()).find("registry.example.com", "shop/api")
    assert login
    assert (login.user, login.secret) == ("robot", "s3cret")


def test_a_login_by_path_wins_over_one_of_the_whole_registry(tmp_path: Path) -> None:
    keys = ("registry.example.com", "registry.example.com/shop", "*.example.com", "registry.example.com/shop/api")
    auths = {key: {"username": key, "password": "s3cret"} for key in keys}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    credentials = Credentials(tmp_path, {}, threading.Event())
    found = [credentials.find("registry.example.com", path) for path in ("shop/api", "shop/web", "other")]
    assert [login.user for login in found if login] == [keys[3], keys[1], keys[0]]


def write(directory: Path, config: object) -> Credentials:
    (directory / "config.json").write_text(json.dumps(config))
    return Credentials(directory, {}, threading.Event())


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(
    ("keys", "registry"),
    [
        (("https://index.docker.io/v1/", "docker.io", "registry-1.docker.io", "https://index.docker.io/"), "docker.io"),
        (("registry.example.com", "https://registry.example.com", "Registry.Example.com:443"), "registry.example.com"),
    ],
)
def test_of_several_keys_for_one_registry_the_one_that_docker_writes_decides(
    tmp_path: Path, keys: tuple[str, ...], registry: str, *, is_reversed: bool
) -> None:
    ordered = tuple(reversed(keys)) if is_reversed else keys
    credentials = write(tmp_path, {"auths": {key: {"username": key, "password": "s3cret"} for key in ordered}})
    login = credentials.find(registry, "library/nginx")
    assert login
    assert login.user == keys[0]


@pytest.mark.parametrize("content", ["", " \n", "{}", '{"auths": null}', '{"credHelpers": {"x.io": null}}'])
def test_a_config_without_logins_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert Credentials(tmp_path, {}, threading.Event()).find("x.io", "shop/api") is None


def test_the_path_of_an_old_api_is_no_path_of_a_repository_in_any_case(tmp_path: Path) -> None:
    assert write(tmp_path, {"auths": {"HTTPS://X.IO/V2/": {"username": "robot"}}}).find("x.io", "shop/api")


def test_a_legacy_file_is_known_by_its_entries(tmp_path: Path) -> None:
    assert write(tmp_path, {"localhost:5000": {"username": "robot"}}).find("localhost:5000", "shop/api")


def test_one_login_by_path_serves_its_host_as_docker_has_it(tmp_path: Path) -> None:
    auths = {"https://registry.example.com/artifactory": {"username": "robot", "password": "s3cret"}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    assert Credentials(tmp_path, {}, threading.Event()).find("registry.example.com", "shop/api")


def test_the_file_of_before_2015_is_found_in_home(tmp_path: Path) -> None:
    (tmp_path / ".dockercfg").write_text("{}")
    assert find_docker_config({"HOME": str(tmp_path)}) == tmp_path / ".dockercfg"
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text("{}")
    assert find_docker_config({"HOME": str(tmp_path)}) == tmp_path / ".docker"
