"""Whom the client asks and as whom, and what is said where that cannot be told."""

import json
from pathlib import Path

import pytest

from patchgate.cluster.access import Access
from patchgate.cluster.client import make_client
from patchgate.errors import SourceError


def write_kubeconfig(directory: Path, server: str) -> Path:
    path = directory / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows of no cluster."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_kubeconfig_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path, "https://one.example.com")))
    configuration = make_client().api_client.configuration
    assert configuration.host == "https://one.example.com"
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer secret"
    assert configuration.retries is False
    assert make_client().api_client.user_agent == "patchgate"


def test_a_kubeconfig_that_is_named_comes_before_the_pods_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path, "https://one.example.com")))
    assert make_client().api_client.configuration.host == "https://one.example.com"


def write_two(folder: Path) -> Path:
    """A kubeconfig with two contexts, of which `one` is the current one."""
    names = ("one", "two")
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com"}} for name in names],
        "users": [{"name": "user", "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "user"}} for name in names],
        "current-context": "one",
    }
    file = folder / "two.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize(("context", "host"), [(None, "https://one.example.com"), ("two", "https://two.example.com")])
def test_the_kubeconfig_and_the_context_of_the_command_line_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str | None, host: str
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBECONFIG", "/missing")
    assert make_client(Access(write_two(tmp_path), context)).api_client.configuration.host == host


def test_a_context_is_one_of_kubeconfig_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write_two(tmp_path)))
    assert make_client(Access(context="two")).api_client.configuration.host == "https://two.example.com"


def test_a_context_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no cluster to ask: .*gone.*--kubeconfig"):
        make_client(Access(write_two(tmp_path), "gone"))


@pytest.mark.parametrize("content", ["", "[]", "text", "{", "clusters: 5", "current-context: no\ncontexts: []"])
def test_a_kubeconfig_that_is_none_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "config").write_text(content, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(SourceError) as caught:
        make_client()
    text = str(caught.value)
    assert text.startswith("--kubernetes: no cluster to ask: ")
    assert text.endswith("; set KUBECONFIG or --kubeconfig, or give the Pod a service account's token")
    assert "\n" not in text


def test_no_kubeconfig_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(SourceError, match=r"no cluster to ask: Invalid kube-config file\. No configuration found; set"):
        make_client()


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a Pod has; gives the folder of its service account."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text("first\n", encoding="utf-8")
    (tmp_path / "ca.crt").write_text("a certificate", encoding="utf-8")
    return tmp_path


def test_in_a_pod_its_service_account_is_used(pod: Path) -> None:
    configuration = make_client(service_account=pod).api_client.configuration
    assert (configuration.host, configuration.ssl_ca_cert) == ("https://10.0.0.1:443", str(pod / "ca.crt"))
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer first"


def test_a_token_that_is_rotated_is_used_at_once(pod: Path) -> None:
    configuration = make_client(service_account=pod).api_client.configuration
    (pod / "token").write_text("second", encoding="utf-8")
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer second"


def test_a_token_that_cannot_be_read_stays_as_it_was(pod: Path) -> None:
    configuration = make_client(service_account=pod).api_client.configuration
    for break_it in (Path.unlink, Path.touch):
        break_it(pod / "token")
        assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer first"


def test_a_pod_without_a_token_is_said(pod: Path) -> None:
    (pod / "token").unlink()
    with pytest.raises(SourceError, match="no cluster to ask: Service token file does not exist; set"):
        make_client(service_account=pod)
