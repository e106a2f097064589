"""The least that Python can do: uvicorn with the gate's settings, TLS, and an answer that is always the same bytes.

python -m loadtest.peers.static PORT CERTIFICATE KEY [uid]
With `uid` the bytes have the review's own in them, without which kube-apiserver takes no answer.
"""

import sys
from typing import TYPE_CHECKING, Final

import uvicorn

from patchgate.gate.allocator import give_back_large_blocks
from patchgate.limits import BACKLOG_CONNECTIONS, KEEP_ALIVE_SECONDS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_ANSWER: Final = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",'
    b'"response":{"uid":"22910c99-a1e7-494a-8bc6-e676422328c3","allowed":true}}'
)
_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", str(len(_ANSWER)).encode()), (b"content-type", b"application/json")],
}
_BODY: Final = {"type": "http.response.body", "body": _ANSWER}
_UID_KEY: Final = b'"uid":"'
_BEFORE, _UID, _AFTER = _ANSWER.partition(b"22910c99-a1e7-494a-8bc6-e676422328c3")


async def answer(_: "Scope", receive: "Receive", send: "Send") -> None:
    """Read the body, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send(_BODY)


async def answer_with_uid(_: "Scope", receive: "Receive", send: "Send") -> None:
    """Read the body, and answer with the first uid in it: that of the review, as kube-apiserver writes one."""
    body, is_whole = b"", False
    while not is_whole:
        message = await receive()
        body += message.get("body", b"")
        is_whole = not message.get("more_body")
    rest = body.partition(_UID_KEY)[2]
    await send(_START)
    await send({"type": "http.response.body", "body": _BEFORE + rest[: len(_UID)].ljust(len(_UID)) + _AFTER})


def main() -> None:
    """Serve until SIGTERM."""
    port, certificate, key, *uid = sys.argv[1:]
    give_back_large_blocks()  # as the gate: by chance a review takes a mapping more (loadtest/PROFILE.md)
    uvicorn.run(
        answer_with_uid if uid else answer,
        host="127.0.0.1",
        port=int(port),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        access_log=False,
        backlog=BACKLOG_CONNECTIONS,
        date_header=False,
        http="httptools",
        lifespan="off",
        log_config=None,
        loop="uvloop",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws="none",
    )


if __name__ == "__main__":
    main()
