"""Reads an AdmissionReview v1 (k8s.io/api/admission/v1) from bytes, and only the part of it that matters.

msgspec reads what is well formed, passing over what is not wanted: a third of pydantic's time, and as much less of a
stall by a large body (docs/adr/0006). What it refuses pydantic reads anew, by the same fields, and explains.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from pydantic import TypeAdapter, ValidationError

from patchgate.errors import RequestError
from patchgate.limits import EXPLAINED_BYTES, UID_CHARACTERS
from patchgate.policy.workload import ADD_NOTHING, Object, Operation, is_judged
from patchgate.server.bounded_lists import TooManyItemsError, decode, make_decoder
from patchgate.server.json_parts import NULL
from patchgate.server.judge import Question
from patchgate.server.twin import make_twin
from patchgate.validation import is_too_deep, say_fault, say_first_error

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"


class UserInfo(Struct, frozen=True, gc=False):
    """Who asks, as kube-apiserver authenticated them."""

    username: str | None = None


class _Request(Struct, frozen=True, gc=False):
    uid: str
    operation: Operation
    subResource: str | None = None  # noqa: N815 -- the API's own name
    namespace: str | None = None
    userInfo: UserInfo | None = None  # noqa: N815
    object: Object | None = None
    oldObject: Object | None = None  # noqa: N815
    dryRun: bool | None = None  # noqa: N815


class _Review(Struct, frozen=True, gc=False):
    apiVersion: str  # noqa: N815
    kind: str
    request: _Request


class _LargeEnvelopeRequest(Struct, frozen=True, gc=False):
    uid: str
    operation: Raw = NULL
    subResource: Raw = NULL  # noqa: N815
    object: Raw = NULL


class _LargeEnvelope(Struct, frozen=True, gc=False):
    """The same of a large review: what is not wanted is never built."""

    apiVersion: str  # noqa: N815
    kind: str
    request: _LargeEnvelopeRequest


class _ObjectHead(Struct, frozen=True, gc=False):
    apiVersion: str  # noqa: N815
    kind: str


@dataclass(frozen=True, slots=True)
class _EnvelopeRequest:
    uid: str
    operation: Any = None
    subResource: Any = None  # noqa: N815
    object: Any = None


@dataclass(frozen=True, slots=True)
class _Envelope:
    """As much of a review as names its object: read where the rest cannot be."""

    apiVersion: str  # noqa: N815
    kind: str
    request: _EnvelopeRequest


class _TooLargeToExplainError(Exception):
    """A large review is not as it must be. The text says what is wrong."""


_FAST: Final = make_decoder(_Review)
_LARGE_ENVELOPE: Final = msgspec.json.Decoder(_LargeEnvelope)
_OBJECT_HEAD: Final = msgspec.json.Decoder(_ObjectHead)
_REVIEW: Final[TypeAdapter[object]] = TypeAdapter(make_twin(_Review))
_ENVELOPE: Final = TypeAdapter(_Envelope)
_HEAD: Final = re.compile(  # as kube-apiserver writes it: in the order of the API's own fields
    rb'\{"kind":"%b","apiVersion":"%b","request":\{"uid":"([0-9A-Za-z-]{1,%d})"'
    % (KIND.encode(), re.escape(API_VERSION).encode(), UID_CHARACTERS)
)


OPENING_BYTES: Final = 512
"""What of a review's beginning has its uid: all before it takes 85 bytes."""


class Review(Struct, frozen=True, gc=False):
    """A review with a uid, which is always answered.

    Attributes:
        uid: to be sent back.
        question: what is asked; None where the object cannot be read.
        fault: why it cannot be read; empty where it can, or where its kind has no images.
        is_dry_run: whether nothing will come of it.
    """

    uid: str
    question: Question | None
    fault: str = ""
    is_dry_run: bool = False


def find_uid(opening: bytes) -> str | None:
    """Find the uid in the first OPENING_BYTES of a review; None where it is not as kube-apiserver writes it."""
    head = _HEAD.match(opening)
    return head[1].decode() if head else None


def read_review(body: bytes | bytearray) -> Review:
    """Read a review.

    Raises:
        RequestError: 400, the body is no AdmissionReview of v1 with a uid.
    """
    try:
        review = _read_whole(body)
    except TooManyItemsError as error:
        return _refuse_items(error.read, str(error))
    except _TooLargeToExplainError as error:
        return _read_large_envelope(body, str(error), error)
    except ValidationError as error:
        return _read_envelope(body, say_first_error(error))
    _check_version(review.apiVersion, review.kind)
    request = review.request
    _check_uid(request.uid)
    username = request.userInfo.username if request.userInfo else None
    question = Question(
        request.operation, request.object, request.oldObject, request.subResource, request.namespace, username
    )
    return Review(request.uid, question, is_dry_run=bool(request.dryRun))


def _read_whole(body: bytes | bytearray) -> _Review:
    """Read all that is wanted.

    Raises:
        ValidationError: something of it is not as it must be.
        _TooLargeToExplainError: the same of a large one.
        TooManyItemsError: one of its lists is too long to be read.
    """
    try:
        review: _Review = decode(_FAST, body)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are the former
        if len(body) > EXPLAINED_BYTES:
            fault = say_fault(error) if isinstance(error, msgspec.ValidationError) else "it is not as the API has it"
            raise _TooLargeToExplainError(fault) from error
        accepted = _REVIEW.dump_python(_REVIEW.validate_json(body), mode="json", by_alias=True)
        return msgspec.convert(accepted, _Review)
    return review


def _refuse_items(read: _Review, fault: str) -> Review:
    """Refuse a review of which (fault) a list is too long, unless it adds no image (`list_added_images`)."""
    _check_version(read.apiVersion, read.kind)
    request = read.request
    _check_uid(request.uid)
    return Review(request.uid, None, "" if _adds_nothing(request) else fault, is_dry_run=bool(request.dryRun))


def _adds_nothing(request: _Request) -> bool:
    obj = request.object
    if obj is None or request.subResource == "status" or request.operation in ADD_NOTHING:
        return True
    is_being_deleted = obj.metadata is not None and bool(obj.metadata.deletionTimestamp)
    is_let_go = request.operation is Operation.UPDATE and is_being_deleted
    return is_let_go or not is_judged(obj.apiVersion, obj.kind)


def _read_large_envelope(body: bytes | bytearray, fault: str, cause: Exception) -> Review:
    """Read what names the object of a large review, where (fault, cause) the whole cannot be read."""
    try:
        envelope = _LARGE_ENVELOPE.decode(body)
    except (ValueError, RecursionError):
        return _read_head(body, fault, cause)
    _check_version(envelope.apiVersion, envelope.kind)
    _check_uid(envelope.request.uid)
    return Review(envelope.request.uid, None, "" if _is_large_unseen(envelope.request) else f"cannot be read: {fault}")


def _read_envelope(body: bytes | bytearray, fault: str) -> Review:
    """Read what names the object, where (fault) the review as a whole cannot be read."""
    try:
        envelope = _ENVELOPE.validate_json(body)
    except ValidationError as error:
        why = fault if is_too_deep(error) else say_first_error(error, whole="body")
        return _read_head(body, why, error)
    _check_version(envelope.apiVersion, envelope.kind)
    _check_uid(envelope.request.uid)
    return Review(envelope.request.uid, None, "" if _is_unseen(envelope.request) else f"cannot be read: {fault}")


def _read_head(body: bytes | bytearray, fault: str, cause: Exception) -> Review:
    """Read the uid alone, where (fault, cause) nothing else is read.

    A 400 would let it in unseen under Ignore, and anyone who makes a Pod may nest its managedFields as they like.
    """
    uid = find_uid(bytes(body[:OPENING_BYTES]))
    if uid is None:
        raise RequestError(400, f"not an AdmissionReview: {fault}") from cause
    return Review(uid, None, f"cannot be read: {fault}")


def _is_unseen(request: _EnvelopeRequest) -> bool:
    """Tell whether the request is allowed whatever its object holds: `list_asked_images` would not look at it."""
    if request.object is None or request.subResource == "status" or request.operation in ("DELETE", "CONNECT"):
        return True
    if not isinstance(request.object, dict):
        return False
    api_version, kind = request.object.get("apiVersion"), request.object.get("kind")
    return isinstance(api_version, str) and isinstance(kind, str) and not is_judged(api_version, kind)


def _is_large_unseen(request: _LargeEnvelopeRequest) -> bool:
    """Tell the same of a large review."""
    operation, subresource = bytes(request.operation), bytes(request.subResource)
    if request.object == NULL or subresource == b'"status"' or operation in (b'"DELETE"', b'"CONNECT"'):
        return True
    try:
        head = _OBJECT_HEAD.decode(request.object)
    except (ValueError, RecursionError):
        return False
    return not is_judged(head.apiVersion, head.kind)


def _check_version(api_version: str, kind: str) -> None:
    if (api_version, kind) != (API_VERSION, KIND):
        raise RequestError(400, f"only {KIND} of {API_VERSION} is understood")


def _check_uid(uid: str) -> None:
    if not 0 < len(uid) <= UID_CHARACTERS:
        raise RequestError(400, f"not an AdmissionReview: request.uid has 1 to {UID_CHARACTERS} characters")
