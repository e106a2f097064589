"""What is said of each failure: one line, the same each time, that says what to do where anything can be done."""

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError, ProtocolError, ReadTimeoutError

from patchgate.cluster.failure import say_failure

HOST = "https://10.0.0.1:443"
CONNECTION = HTTPSConnection("10.0.0.1")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ApiException(status=0, reason="SSLError\n[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
            f"no TLS with {HOST}: SSLError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        ),
        (
            NewConnectionError(CONNECTION, "Failed to establish a new connection: [Errno 111] Connection refused"),
            f"{HOST} cannot be reached: Connection refused",
        ),
        (
            NameResolutionError("api.example", CONNECTION, OSError(-2, "Name or service not known")),  # type: ignore[arg-type] # socket.gaierror is one
            f"{HOST} cannot be reached: Name or service not known",
        ),
        (ReadTimeoutError(None, "/", "Read timed out."), f"{HOST} does not answer"),  # type: ignore[arg-type] # a pool
        (ProtocolError("Connection aborted."), f"the connection to {HOST} broke: ProtocolError"),
        (ConnectionResetError(104, "reset"), f"the connection to {HOST} broke: ConnectionResetError"),
        (KeyError("items"), f"{HOST} answers what is no Kubernetes API: KeyError"),
        (ApiException(status=418, reason="tea"), f"{HOST} does not list names: it answers 418"),
    ],
)
def test_a_failure_is_one_line(error: Exception, line: str) -> None:
    assert say_failure(error, "list names", HOST) == line
