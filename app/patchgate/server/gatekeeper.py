"""The door for Gatekeeper: `POST /v1/gatekeeper`, an external data provider (externaldata.gatekeeper.sh/v1beta1).

A key is an image, or the JSON text of an object that says where it is to run and who creates it as well.
An image that may run has its verdict as value; one that is denied has the message as error, as most templates deny by
`response.errors`. What is not decided at all is a `systemError` and no item, whatever the status: Gatekeeper hands a
template both, keeps items for minutes, and keeps no system error
(github.com/open-policy-agent/frameworks/constraint, pkg/client/drivers/rego/builtin.go).
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw, Struct

from patchgate.errors import RequestError
from patchgate.limits import IMAGES_OF_A_REQUEST, SHOWN_LINE_CHARACTERS
from patchgate.policy.case import Asker
from patchgate.policy.decision import Decision
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import show
from patchgate.policy.workload import Image, Operation
from patchgate.server.decision_json import describe_verdict
from patchgate.server.json_parts import decode_body, read_texts, refuse_unread
from patchgate.server.judge import Judge

API_VERSION: Final = "externaldata.gatekeeper.sh/v1beta1"
_KEY_OBJECT: Final = "{"  # an image never begins so


class _Keys(Struct, frozen=True, gc=False):
    keys: Raw = Raw(b"[]")


class ProviderRequest(Struct, frozen=True, gc=False):
    """What Gatekeeper asks (pkg/externaldata/request.go); unknown fields are ignored."""

    request: _Keys


class _KeyObject(Struct, frozen=True, gc=False):
    """A key that says more than the image."""

    image: str
    namespace: str | None = None
    pullPolicy: str | None = None  # noqa: N815 -- the API's own name
    username: str | None = None


_REQUEST: Final = msgspec.json.Decoder(ProviderRequest)
_KEY: Final = msgspec.json.Decoder(_KeyObject)


@dataclass(frozen=True, slots=True)
class Item:
    """The answer to one key."""

    key: str
    decision: Decision


def decide_keys(body: bytes | bytearray, judge: Judge, snapshot: Snapshot) -> list[Item]:
    """Decide every key, in order.

    Raises:
        RequestError: 400, the body is no ProviderRequest; 413, too many keys.
    """
    with refuse_unread():
        request = decode_body(body, _REQUEST).request
        keys = read_texts(request.keys, "request.keys", f"one request has at most {IMAGES_OF_A_REQUEST} keys")
    return [Item(key, _decide_key(key, judge, snapshot)) for key in keys]


def write_items(items: list[Item]) -> bytes:
    """Write the answer to every key."""
    return _write_response({"items": list(map(_describe_item, items))})


def write_system_error(error: RequestError) -> bytes:
    """Write that nothing is decided."""
    return _write_response({"systemError": show(str(error), SHOWN_LINE_CHARACTERS)})


def _decide_key(key: str, judge: Judge, snapshot: Snapshot) -> Decision:
    said = _read_key(key)
    asker = Asker.of(said.username, Operation.CREATE, said.namespace, judge.controllers)
    return judge.judge_image(Image(said.image, said.pullPolicy or None), asker, snapshot)


def _read_key(key: str) -> _KeyObject:
    if key.startswith(_KEY_OBJECT):
        # What cannot be read so is no image either, which the decision's first row says.
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            return _KEY.decode(key)
    return _KeyObject(key)


def _describe_item(item: Item) -> dict[str, object]:
    decision = item.decision
    if not decision.allowed:
        return {"key": item.key, "error": decision.message}
    (verdict,) = decision.verdicts
    softened = {"allowed": True, "warnings": list(decision.warnings)}  # by the gate's --scope
    return {"key": item.key, "value": describe_verdict(verdict) | softened}


def _write_response(content: Mapping[str, object]) -> bytes:
    """Write a ProviderResponse: each key just as it came, for a template looks for it."""
    response = {"idempotent": True, **content}
    return json.dumps({"apiVersion": API_VERSION, "kind": "ProviderResponse", "response": response}).encode()
