"""Asks `/v1/decisions` about images, as somebody does who waits for a change to be in force."""

import contextlib
import json
from collections.abc import Iterable
from http.client import HTTPConnection
from typing import Any, Final

_JSON: Final = {"Content-Type": "application/json"}


def ask_decisions(connection: HTTPConnection, images: Iterable[str]) -> list[dict[str, Any]]:
    """Ask on a connection, which is closed then; give the decision about each image, in their order.

    Raises:
        OSError, HTTPException, ValueError, KeyError: there is no answer, or another one.
    """
    with contextlib.closing(connection):
        connection.request("POST", "/v1/decisions", json.dumps({"images": list(images)}), _JSON)
        decisions: list[dict[str, Any]] = json.loads(connection.getresponse().read())["images"]
    return decisions
