"""The door for Kyverno, scripts and people: `POST /v1/decisions`.

Kyverno sends no Content-Type, so any or none is taken. The answer is one flat JSON object: never a `body` or
`statusCode` at the top (Kyverno's CEL `http` adds those), never `{{` (Kyverno would read a variable).
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from patchgate.errors import InvalidManifestError, RequestError
from patchgate.limits import DECISION_BYTES, IMAGES_OF_A_REQUEST
from patchgate.policy.decision import Decision, Mode
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Operation
from patchgate.server.judge import Judge, Question, conclude_unread
from patchgate.server.objects import read_object
from patchgate.server.refusal import write_json
from patchgate.server.schemas import IMAGES, USER_INFO
from patchgate.validation import is_too_deep, say_first_error


class _KyvernoImage(BaseModel):
    """An item of Kyverno's `images` (pkg/utils/image): `reference` leaves out the tag beside a digest."""

    reference: str = ""
    registry: str = ""
    path: str = ""
    tag: str = ""
    digest: str = ""

    def to_text(self) -> str:
        """Give the image as a reference."""
        if self.reference:
            return self.reference
        name = "/".join(filter(None, (self.registry, self.path)))
        return name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


class _UserInfo(BaseModel):
    username: str | None = None


class DecisionRequest(BaseModel):
    """What may be asked: `images`, or `object` with what a review has beside it. Unknown keys are ignored."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"images": ["registry.example.com/myapp/api:1.4.2"], "namespace": "shop"}]}
    )

    images: Annotated[object, WithJsonSchema(IMAGES)] = None
    obj: dict[str, object] | None = Field(None, alias="object")
    old: dict[str, object] | None = Field(None, alias="oldObject")
    operation: str | None = None
    user_info: Annotated[_UserInfo | None, WithJsonSchema(USER_INFO)] = Field(None, alias="userInfo")
    namespace: str | None = None


_STRINGS: Final = TypeAdapter(list[str])
_KYVERNO: Final = TypeAdapter(dict[str, dict[str, _KyvernoImage]])


def decide_request(body: bytes, judge: Judge, snapshot: Snapshot) -> Decision:
    """Decide what the body asks.

    Raises:
        RequestError: 400, the body cannot be read or asks nothing.
    """
    try:
        request = DecisionRequest.model_validate_json(body)
        has_object, images = "obj" in request.model_fields_set, request.images
        if has_object == (images is not None):
            raise RequestError(400, "give either images (a list of strings, or Kyverno's map) or object")
        if images is not None:
            return judge.judge_images(_list_images(images), request.namespace, snapshot)
        return judge.judge(_read_question(request), Mode.ENFORCE, snapshot)
    except ValidationError as error:
        if is_too_deep(error):  # as a review: Kyverno lets in what is not answered, under Ignore
            return conclude_unread(f"cannot be read: {say_first_error(error)}", Mode.ENFORCE)
        raise RequestError(400, say_first_error(error, whole="body")) from error
    except InvalidManifestError as error:
        raise RequestError(400, str(error)) from error


def write_decision(decision: Decision) -> bytes:
    """Write a decision as JSON; one that is too long to be read refuses as a whole, whatever it was."""
    answer = write_json(describe_decision(decision))
    if len(answer) <= DECISION_BYTES:
        return answer
    refusal = conclude_unread("has images of which the answer would be too long", Mode.ENFORCE)
    return write_json(describe_decision(refusal))


def describe_decision(decision: Decision) -> dict[str, object]:
    """Give a decision as the flat object that is answered."""
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "message": decision.message,
        "images": [describe_verdict(verdict) for verdict in decision.verdicts],
    }


def describe_verdict(verdict: Verdict) -> dict[str, object]:
    """Give one image's item."""
    return {
        "image": verdict.image,
        "allowed": verdict.allowed,
        "reason": verdict.reason,
        "message": verdict.message,
        "use": verdict.use,
        "warnings": list(verdict.warnings),
    }


def _list_images(images: object) -> list[str]:
    """List the images asked about, in order."""
    _check_number(images)  # before each is looked at: what is wrong with millions takes minutes to say
    try:
        if not isinstance(images, dict):
            return _STRINGS.validate_python(images)
        groups = _KYVERNO.validate_python(images)
    except ValidationError as error:
        raise RequestError(400, say_first_error(error, within="images")) from error
    return [image.to_text() for group in groups.values() for image in group.values()]


def _check_number(images: object) -> None:
    groups = [images, *images.values()] if isinstance(images, dict) else [images]
    if sum(len(group) for group in groups if isinstance(group, (dict, list))) > IMAGES_OF_A_REQUEST:
        raise RequestError(413, f"one question has at most {IMAGES_OF_A_REQUEST} images")


def _read_question(request: DecisionRequest) -> Question:
    obj = read_object(request.obj) if request.obj is not None else None
    old = read_object(request.old) if request.old is not None else None
    default = Operation.UPDATE if old else Operation.CREATE
    operation = Operation(request.operation) if request.operation in list(Operation) else default
    namespace = request.namespace or (obj.metadata.namespace if obj and obj.metadata else None)
    username = request.user_info.username if request.user_info else None
    return Question(operation, obj, old, None, namespace, username)
