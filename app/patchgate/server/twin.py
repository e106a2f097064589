"""Makes of a Struct, by which msgspec reads, the dataclass of the same fields by which pydantic explains.

So what is read is declared once. It reads nothing itself.
"""

from dataclasses import field, make_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields
from pydantic import Field


def make_twin(struct: type[Struct]) -> type:
    """Make the dataclass, and those of the Structs within it. Defaults are kept, but for factories."""
    return make_dataclass(struct.__name__, map(_describe, fields(struct)), frozen=True, slots=True)


def _describe(each: FieldInfo) -> tuple[str, Any, Any]:
    default = field() if each.default is NODEFAULT else field(default=each.default)
    hint = _translate(each.type)
    if each.encode_name != each.name:
        hint = Annotated[hint, Field(alias=each.encode_name)]
    return each.name, hint, default


def _translate(hint: Any) -> Any:  # noqa: ANN401 -- a type, or what typing makes of several
    if isinstance(hint, type) and issubclass(hint, Struct):
        return make_twin(hint)
    parts = tuple(map(_translate, get_args(hint)))
    origin = get_origin(hint)
    if origin is None:
        return hint
    return Union[parts] if origin in (Union, UnionType) else origin[parts]  # noqa: UP007 -- parts known at run time
