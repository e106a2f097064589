"""`patchgate serve`: what it starts with, what it refuses to start with, and for whom its denials count."""

import os
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.conftest import API, API_DIGEST, API_PATCHED, GateRunner, read_recorded, run_gate, write_configmaps
from tests.world import hours_ago, image_list, patched, records


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with ca.crt, tls.crt and tls.key of trustme, other.key, and locked.key behind a passphrase."""
    directory = tmp_path_factory.mktemp("pair")
    ca = trustme.CA()
    leaf, other = ca.issue_cert("127.0.0.1"), ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(directory / "ca.crt")
    leaf.cert_chain_pems[0].write_to_path(directory / "tls.crt")
    leaf.private_key_pem.write_to_path(directory / "tls.key")
    other.private_key_pem.write_to_path(directory / "other.key")
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (directory / "locked.key").write_bytes(locked)
    expired = ca.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    (directory / "expired").mkdir()
    ca.cert_pem.write_to_path(directory / "expired" / "ca.crt")
    expired.cert_chain_pems[0].write_to_path(directory / "expired" / "tls.crt")
    expired.private_key_pem.write_to_path(directory / "expired" / "tls.key")
    (directory / "partial").mkdir()
    leaf.private_key_pem.write_to_path(directory / "partial" / "tls.key")
    return directory


def start(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a gate that is not expected to come up, without a terminal that could be asked for anything."""
    return subprocess.run(
        [sys.executable, "-m", "patchgate", "serve", *arguments],
        cwd=directory,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        start_new_session=True,
    )


FILES = ("--tls-cert", "tls.crt", "--tls-key", "tls.key")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--source", "none", *FILES),
            "patchgate: --source none: No such file or directory; name a directory of ConfigMaps",
        ),
        (("--source", "ca.crt", *FILES), "patchgate: --source ca.crt: Not a directory; name a directory of ConfigMaps"),
        (
            ("--source", ".", *FILES[:2]),
            "patchgate: serve: give --tls-cert and --tls-key, or --tls-secret NAME, or --self-signed DIR alone",
        ),
        (
            ("--source", ".", *FILES, "--self-signed", "pki"),
            "patchgate: serve: give --tls-cert and --tls-key, or --tls-secret NAME, or --self-signed DIR alone",
        ),
        (
            ("--source", ".", "--tls-cert", "tls.crt", "--tls-key", "other.key"),
            "patchgate: tls.crt and other.key are not a pair that serves: KEY_VALUES_MISMATCH",
        ),
        (
            ("--source", ".", "--tls-cert", "none.crt", "--tls-key", "tls.key"),
            "patchgate: none.crt or tls.key cannot be read: No such file or directory",
        ),
        (
            ("--source", ".", "--self-signed", "partial"),
            "patchgate: --self-signed partial holds only tls.key: empty it, or name another",
        ),
        (("--source", ".", "--self-signed", "tls.crt"), "patchgate: --self-signed tls.crt: File exists"),
        (
            ("--source", ".", *FILES, "--issue-certificates"),
            "patchgate: serve: --issue-certificates and --webhook-configuration need --tls-secret NAME",
        ),
        (
            ("--source", ".", *FILES, "--tls-secret", "tls"),
            "patchgate: serve: give --tls-cert and --tls-key, or --tls-secret NAME, or --self-signed DIR alone",
        ),
    ],
)
def test_a_gate_that_cannot_start_says_why_in_a_line_and_exits_2(
    pair: Path, arguments: tuple[str, ...], line: str
) -> None:
    ended = start(pair, *arguments)
    assert (ended.returncode, ended.stderr, ended.stdout) == (2, f"{line}\n", "")


@pytest.mark.parametrize(
    ("arguments", "beginning"),
    [
        (FILES, "patchgate: give --source DIR or --kubernetes, exactly one of them"),
        (("--source", ".", "--scope", "some", *FILES), "patchgate serve: Invalid value for '--scope'"),
        (("--source", ".", "--tls-cert", "tls.crt", "--tls-key", "locked.key"), "patchgate: tls.crt and locked.key "),
        (("--source", ".", "--self-signed", "expired"), "patchgate: expired/tls.crt expired on "),
        (
            ("--source", ".", "--listen", "127.0.0.1", *FILES),
            "patchgate serve: Invalid value for '--listen' (env var: 'PATCHGATE_LISTEN'): write HOST:PORT",
        ),
        (
            ("--source", ".", "--listen", "[::]:99999", *FILES),
            "patchgate serve: Invalid value for '--listen' (env var: 'PATCHGATE_LISTEN'): write HOST:",
        ),
        (("--source", ".", "--listen", "no.such.invalid:0", *FILES), "patchgate: --listen no.such.invalid:0: "),
        (
            ("--source", ".", "--listen", "münchen.invalid:0", "--self-signed", "new"),
            "patchgate serve: Invalid value for '--listen' (env var: 'PATCHGATE_LISTEN'): write HOST:PORT",
        ),
    ],
)
def test_a_gate_that_cannot_start_says_what_to_mend(pair: Path, arguments: tuple[str, ...], beginning: str) -> None:
    ended = start(pair, *arguments)
    assert (ended.returncode, ended.stderr[: len(beginning)], ended.stdout) == (2, beginning, "")
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_is_said_in_a_line(pair: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = start(pair, "--source", ".", "--listen", address, *FILES)
    assert (ended.returncode, ended.stderr) == (
        2,
        f"patchgate: --listen {address}: Address already in use; choose another address\n",
    )


def test_flags_have_environment_variables(pair: Path) -> None:
    ended = start(pair, PATCHGATE_SOURCE="none", PATCHGATE_TLS_CERT="tls.crt", PATCHGATE_TLS_KEY="tls.key")
    assert (ended.returncode, ended.stderr.partition(";")[0]) == (
        2,
        "patchgate: --source none: No such file or directory",
    )


def test_a_pair_from_files_is_served(pair: Path, shop: Path) -> None:
    files = ("--tls-cert", str(pair / "tls.crt"), "--tls-key", str(pair / "tls.key"))
    with run_gate(shop, pair / "ca.crt", *files) as gate:
        assert gate.review(read_recorded("pod-create")).json["response"]["allowed"] is False


def test_a_self_signed_pair_is_made_once_and_kept(shop: Path, tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "pki"
    with run_gate(shop, directory / "ca.crt", "--self-signed", str(directory)):
        made = {file.name: file.read_bytes() for file in directory.iterdir()}
    assert made.keys() == {"ca.crt", "tls.crt", "tls.key"}
    assert stat.S_IMODE((directory / "tls.key").stat().st_mode) == 0o600
    with run_gate(shop, directory / "ca.crt", "--self-signed", str(directory)) as gate:
        assert gate.ask("GET", "/readyz").status == 200
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == made


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("all", []),
        ("rollouts", ["pod-by-replicaset-controller", "replicaset-by-deployment-controller"]),
        ("pods", ["deployment-create", "replicaset-by-deployment-controller", "statefulset-create"]),
    ],
)
def test_the_scope_says_for_whom_a_denial_only_warns(
    tmp_path: Path, self_signed: GateRunner, scope: str, allowed: list[str]
) -> None:
    out_of_grace = patched(API_PATCHED, approved_digest=API_DIGEST, patched=hours_ago(99))
    source = write_configmaps(tmp_path, image_list(API), records({API: out_of_grace}))
    with self_signed(source, "--scope", scope) as gate:
        for name in (
            "pod-create",
            "pod-by-replicaset-controller",
            "deployment-create",
            "replicaset-by-deployment-controller",
            "statefulset-create",
        ):
            response = gate.review(read_recorded(name)).json["response"]
            assert (name, response["allowed"]) == (name, name in allowed)
            assert ("warnings" in response, "status" in response) == (name in allowed, name not in allowed)
            assert response["auditAnnotations"]["reason"] == "PatchAvailable"


def test_a_source_without_a_list_starts_and_is_not_ready(tmp_path: Path, self_signed: GateRunner) -> None:
    with self_signed(write_configmaps(tmp_path, records())) as gate:
        assert gate.ask("GET", "/readyz").status == 503
        assert gate.review(read_recorded("pod-create")).status == 503
