"""The door for Kyverno, scripts and people: `POST /v1/decisions`.

Kyverno sends no Content-Type, so any or none is taken. The answer is one flat JSON object: never a `body` or
`statusCode` at the top (Kyverno's CEL `http` adds those), never `{{` (Kyverno would read a variable).
"""

from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from patchgate.errors import InvalidManifestError, RequestError
from patchgate.limits import DECISION_BYTES
from patchgate.policy.decision import Decision, Mode
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Operation
from patchgate.server.asked_images import read_images
from patchgate.server.decision_json import describe_decision
from patchgate.server.json_parts import NULL, TooDeepError, decode_body, is_object, refuse_unread
from patchgate.server.judge import Judge, Question, conclude_unread
from patchgate.server.objects import decode_object
from patchgate.server.refusal import write_json
from patchgate.server.review import UserInfo


class DecisionRequest(Struct, frozen=True, gc=False):
    """What may be asked: `images`, or `object` with what a review has beside it. Unknown keys are ignored.

    The three large ones are kept as they came, and read by what is wanted of them.
    """

    images: Raw = NULL
    object: Raw | UnsetType = UNSET
    oldObject: Raw = NULL  # noqa: N815 -- the API's own name
    operation: str | None = None
    userInfo: UserInfo | None = None  # noqa: N815
    namespace: str | None = None


_REQUEST: Final = msgspec.json.Decoder(DecisionRequest)


def decide_request(body: bytes | bytearray, judge: Judge, snapshot: Snapshot) -> Decision:
    """Decide what the body asks.

    Raises:
        RequestError: 400, the body cannot be read or asks nothing; 413, it asks about too many images.
    """
    try:
        with refuse_unread():
            request = decode_body(body, _REQUEST)
            asked = _read_asked(request)
    except TooDeepError as error:  # as a review: Kyverno lets in what is not answered, under Ignore
        return conclude_unread(f"cannot be read: {error}", Mode.ENFORCE)
    except InvalidManifestError as error:
        raise RequestError(400, str(error)) from error
    if isinstance(asked, Question):
        return judge.judge(asked, Mode.ENFORCE, snapshot)
    return judge.judge_images(asked, request.namespace, snapshot)


def write_decision(decision: Decision) -> bytes:
    """Write a decision as JSON; one that is too long to be read refuses as a whole, whatever it was."""
    answer = write_json(describe_decision(decision))
    if len(answer) <= DECISION_BYTES:
        return answer
    refusal = conclude_unread("has images of which the answer would be too long", Mode.ENFORCE)
    return write_json(describe_decision(refusal))


def _read_asked(request: DecisionRequest) -> Question | list[str]:
    """Read what is asked: about an object, or about images."""
    _check_objects(request)
    if (request.object is UNSET) == (request.images == NULL):
        raise RequestError(400, "give either images (a list of strings, or Kyverno's map) or object")
    return read_images(request.images) if request.object is UNSET else _read_question(request, request.object)


def _check_objects(request: DecisionRequest) -> None:
    for place, raw in (("object", request.object), ("oldObject", request.oldObject)):
        if raw is not UNSET and raw != NULL and not is_object(raw):
            raise RequestError(400, f"{place}: must be an object")


def _read_question(request: DecisionRequest, raw: Raw) -> Question:
    obj = decode_object(raw) if raw != NULL else None
    old = decode_object(request.oldObject) if request.oldObject != NULL else None
    default = Operation.UPDATE if old else Operation.CREATE
    operation = Operation(request.operation) if request.operation in list(Operation) else default
    namespace = request.namespace or (obj.metadata.namespace if obj and obj.metadata else None)
    username = request.userInfo.username if request.userInfo else None
    return Question(operation, obj, old, None, namespace, username)
