"""Says in one line what failed between us and kube-apiserver, and what to do. The same failure is the same line."""

from http import HTTPStatus
from typing import Final

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

FOLLOW_RIGHTS: Final = "give its service account a Role with get, list and watch on configmaps, create on events"


def say_failure(error: Exception, action: str, host: str, needed: str = FOLLOW_RIGHTS) -> str:
    """Say what failed.

    action: what was asked for, such as `list configmaps in copa-system`.
    host: kube-apiserver's address.
    needed: what to do where the right is missing.
    """
    if isinstance(error, ApiException) and error.status:
        return _say_status(error.status, action, host, needed)
    match error:
        case ApiException():
            return f"no TLS with {host}: {_first_line(error.reason)}"
        case NewConnectionError():  # a ConnectTimeoutError too
            return f"{host} cannot be reached: {_say_cause(error)}"
        case ConnectTimeoutError() | ReadTimeoutError():
            return f"{host} does not answer"
        case HTTPError() | OSError():
            return f"the connection to {host} broke: {type(error).__name__}"
        case _:
            return f"{host} answers what is no Kubernetes API: {type(error).__name__}"


def _say_status(status: int, action: str, host: str, needed: str) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return f"{host} does not know who asks to {action} (401): renew the token or the certificate"
        case HTTPStatus.FORBIDDEN:
            return f"may not {action} (403): {needed}"
        case HTTPStatus.TOO_MANY_REQUESTS:
            return f"{host} is too busy to {action} (429)"
        case _:
            return f"{host} does not {action}: it answers {status}"


def _say_cause(error: Exception) -> str:
    """Say what the operating system says, without the address of an object that urllib3 puts before it."""
    return _first_line(str(error).rpartition("[Errno")[2].partition("] ")[2].rstrip(")") or type(error).__name__)


def _first_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
