"""The shapes of what the doors take and answer, for the OpenAPI alone: nothing is read or written by them."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_KYVERNO_IMAGE: Final = {
    "type": "object",
    "properties": dict.fromkeys(("reference", "registry", "path", "tag", "digest"), _TEXT),
}
_OBJECT_OR_NULL: Final = {"type": ["object", "null"], "default": None}
DECISION_REQUEST: Final[dict[str, Any]] = {
    "title": "DecisionRequest",
    "description": "`images`, or `object` with what a review has beside it. Unknown keys are ignored.",
    "examples": [{"images": ["registry.example.com/myapp/api:1.4.2"], "namespace": "shop"}],
    "type": "object",
    "properties": {
        "images": {
            "description": "A list of images, or Kyverno's `images`; give these or `object`.",
            "anyOf": [
                {"type": "array", "items": _TEXT},
                {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _KYVERNO_IMAGE}},
                {"type": "null"},
            ],
            "default": None,
        },
        "object": _OBJECT_OR_NULL,
        "oldObject": _OBJECT_OR_NULL,
        "operation": _TEXT_OR_NULL | {"default": None},
        "userInfo": {
            "description": "Who asks, as kube-apiserver authenticated them.",
            "type": ["object", "null"],
            "properties": {"username": _TEXT_OR_NULL},
            "default": None,
        },
        "namespace": _TEXT_OR_NULL | {"default": None},
    },
}
PROVIDER_REQUEST: Final[dict[str, Any]] = {
    "title": "ProviderRequest",
    "description": "What Gatekeeper asks (pkg/externaldata/request.go); unknown fields are ignored.",
    "examples": [
        {
            "apiVersion": "externaldata.gatekeeper.sh/v1beta1",
            "kind": "ProviderRequest",
            "request": {"keys": ["registry.example.com/myapp/api:1.4.2"]},
        }
    ],
    "type": "object",
    "properties": {"request": {"type": "object", "properties": {"keys": {"type": "array", "items": _TEXT}}}},
    "required": ["request"],
}


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImageAnswer(_Answer):
    """One image of a decision; `use` is the reference to use instead."""

    image: str
    allowed: bool
    reason: str
    message: str
    use: str | None
    warnings: list[str]


class DecisionAnswer(_Answer):
    """A decision; reason and message are those of the first image that is denied."""

    allowed: bool
    reason: str
    message: str
    images: list[ImageAnswer]


class ProviderItem(_Answer):
    """The answer to one key: the verdict of an image that may run, or why another is denied."""

    key: str
    value: ImageAnswer | None = None
    error: str | None = None


class ProviderResponse(_Answer):
    """One item a key, in order, or why nothing is decided."""

    idempotent: bool
    items: list[ProviderItem] | None = None
    systemError: str | None = None  # noqa: N815 -- Gatekeeper's own name


class ProviderAnswer(_Answer):
    """A ProviderResponse of externaldata.gatekeeper.sh/v1beta1."""

    apiVersion: str  # noqa: N815 -- Gatekeeper's own name
    kind: str
    response: ProviderResponse


class CatalogAnswer(_Answer):
    """Repositories that are tracked, and `REPO@DIGEST` that are approved now."""

    tracked: list[str]
    approved: list[str]


class TrackedImageAnswer(_Answer):
    """A listed image with its record; times are RFC 3339, UTC."""

    image: str
    listed_in: str
    state: str
    approved: str | None
    verified: str | None
    stale: bool
    breached: bool
    time_left_seconds: int | None
    fixable_before: dict[str, int]
    fixable_after: dict[str, int]
    message: str


class ImagesAnswer(_Answer):
    """A page of the listed images; `next` is the offset of the following one."""

    images: list[TrackedImageAnswer]
    next: int | None


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Say with which statuses a door refuses; the shape is that of a decision."""
    return {status: {"model": DecisionAnswer, "description": "Not decided."} for status in statuses}
