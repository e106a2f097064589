"""What changes under the gate: records each second, a list and the policy now and then, the certificate each minute.

Each change but the records' is looked for: one that is not in force in time is a failure.
"""

import itertools
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from loadtest.decisions import ask_decisions
from loadtest.soak.callers import TIMEOUT_SECONDS, Callee
from loadtest.soak.tally import Tally
from loadtest.world_files import Change, make_changes, write_configmap
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.pki.issue import Pair, issue_server_leaf

_LIST_EVERY_SECONDS: Final = 20
_POLICY_EVERY_SECONDS: Final = 30
_PAIR_EVERY_SECONDS: Final = 60
_IN_FORCE_SECONDS: Final = 15
_POLL_SECONDS: Final = 0.2
_KEPT: Final = "registry.example.com/soak/kept:1"
"""A listed image without a record: the policy decides."""
_COMING: Final = "registry.example.com/soak-more/coming:1"
"""An image that the list has and has not, in turn."""


def change_records(world: Path, tally: Tally, stopped: threading.Event) -> None:
    """Rewrite a ConfigMap of records each second."""
    for change in make_changes():
        if stopped.wait(1):
            return
        change.write(world)
        tally.note("change: a ConfigMap of records")


def change_list(world: Path, callee: Callee, tally: Tally, stopped: threading.Event) -> None:
    """Add a line to a list, and take it away, in turn; see that it counts."""
    for lines, reason in itertools.cycle((([_KEPT], "NotTracked"), ([_KEPT, _COMING], "Unscanned"))):
        write_list(world, lines)
        tally.note("change: a labelled list", _wait_for(lambda: _ask(callee, _COMING)["reason"], reason))
        if stopped.wait(_LIST_EVERY_SECONDS):
            return


def change_policy(world: Path, callee: Callee, tally: Tally, stopped: threading.Event) -> None:
    """Change the policy to and fro; see that it counts."""
    file = world / f"{Names().image_list}.json"
    main = json.loads(file.read_bytes())
    for effect, allowed in itertools.cycle((("deny", False), ("warn", True))):
        if stopped.wait(_POLICY_EVERY_SECONDS):
            return
        configmap = ConfigMap(main["metadata"]["name"], {}, {**main["data"], "unscanned": effect})
        Change(file.name, write_configmap(configmap)).write(world)
        tally.note("change: the policy", _wait_for(lambda: _ask(callee, _KEPT)["allowed"], allowed))


def rotate(pair: Path, authority: Pair, callee: Callee, tally: Tally, stopped: threading.Event) -> None:
    """Put another certificate in place each minute; see that new connections get it."""
    while not stopped.wait(_PAIR_EVERY_SECONDS):
        serial = write_pair(pair, authority)
        tally.note("change: the certificate", _wait_for(lambda: _read_serial(callee), serial))


def write_list(world: Path, lines: list[str]) -> None:
    """Write the labelled list that changes."""
    names = Names()
    text = "".join(f"{line}\n" for line in lines)
    configmap = ConfigMap("soak-list", {names.label: "true"}, {"images.txt": text})
    Change("soak-list.json", write_configmap(configmap)).write(world)


def write_pair(pair: Path, authority: Pair) -> int:
    """Write a new certificate and its key into a directory, each as a whole; give its serial number."""
    leaf = issue_server_leaf(authority, ["127.0.0.1"], datetime.now(UTC))
    Change("tls.key", leaf.key_pem).write(pair)
    Change("tls.crt", leaf.certificate_pem).write(pair)
    return x509.load_pem_x509_certificate(leaf.certificate_pem).serial_number


def _wait_for(read: Callable[[], object], expected: object) -> str:
    """Wait until it reads as expected; give what it read last where it does not in time."""
    seen: object = None
    for _ in _poll():
        try:
            seen = read()
        except (OSError, HTTPException, KeyError, ValueError) as error:
            return repr(error)
        if seen == expected:
            return ""
    return f"not in force after {_IN_FORCE_SECONDS} s: {seen!r}, not {expected!r}"


def _poll() -> Iterator[None]:
    deadline = time.monotonic() + _IN_FORCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(_POLL_SECONDS)


def _ask(callee: Callee, image: str) -> dict[str, Any]:
    return ask_decisions(callee.connect(callee.make_context()), [image])[0]


def _read_serial(callee: Callee) -> int:
    text = ssl.get_server_certificate(("127.0.0.1", callee.port), timeout=TIMEOUT_SECONDS)
    return x509.load_pem_x509_certificate(text.encode()).serial_number
