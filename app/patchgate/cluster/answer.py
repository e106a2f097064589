"""Reads kube-apiserver's answers, as JSON and no further.

The client's own models refuse what kube-apiserver keeps (`managedFields` of the year 0, written by anybody who may
write one ConfigMap), and what cannot be read of one object would be the end of following all of them.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from kubernetes.client.exceptions import ApiException
from urllib3 import BaseHTTPResponse


def check_answer(answer: object) -> BaseHTTPResponse:
    """Check an answer that the client hands over as it came, whatever its types say.

    Raises:
        ApiException: its status is an error.
    """
    if not isinstance(answer, BaseHTTPResponse):
        raise TypeError(f"{type(answer).__name__} is no response of urllib3")
    if not 200 <= answer.status < 300:  # noqa: PLR2004 -- RFC 9110, 15.3
        answer.close()
        refusal = ApiException(status=answer.status, reason=answer.reason)
        refusal.headers = answer.headers  # Retry-After
        raise refusal
    return answer


def read_object(answer: object) -> dict[str, Any]:
    """Read the object that an answer is.

    Raises:
        ApiException: its status is an error.
        ValueError: it is no JSON object.
    """
    content = json.loads(check_answer(answer).data)
    if not isinstance(content, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 -- wrong data, not a wrong call
    return content


def read_date(headers: Mapping[str, str] | None) -> datetime | None:
    """Read what time it was where an answer was given, aware UTC; None where it does not say (RFC 9110, 6.6.1)."""
    try:
        return parsedate_to_datetime((headers or {}).get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def read_mapping(content: object, key: str) -> dict[str, Any]:
    """Read an object inside another; empty where there is none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, dict) else {}


def read_texts(content: object, key: str) -> dict[str, str]:
    """Read a mapping of texts inside an object; what of it is no text is left out."""
    return {name: text for name, text in read_mapping(content, key).items() if isinstance(text, str)}
