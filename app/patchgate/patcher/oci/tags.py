"""Reads a page of a repository's tags (OCI distribution specification 1.1, "Listing Tags"). Pure."""

from pydantic import BaseModel, ConfigDict, ValidationError

from patchgate.errors import RegistryError
from patchgate.policy.reference import is_tag


class _PageSchema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    tags: tuple[str, ...] | None = None  # null: a repository without tags


def read_tags(body: bytes, place: str) -> list[str]:
    """Read the tags of a page; what is no tag is left out.

    Raises:
        RegistryError: it is no page of tags.
    """
    try:
        page = _PageSchema.model_validate_json(body)
    except ValidationError:
        raise RegistryError(f"{place} does not list its tags as a registry does") from None
    return [tag for tag in page.tags or () if is_tag(tag)]
