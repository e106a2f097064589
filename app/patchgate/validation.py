"""Says in one line what pydantic found wrong, in words of whoever sent it: no class of ours, no type of Python's."""

from typing import Final

from pydantic import ValidationError

_PLAIN: Final = {
    "dataclass_type": "must be an object",
    "dict_type": "must be an object",
    "int_type": "must be a number",
    "is_instance_of": "must be a list",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
}
_TOO_DEEP: Final = "recursion limit exceeded"  # jiter, which reads JSON for pydantic: 200 levels


def say_first_error(error: ValidationError, *, within: str = "", whole: str = "") -> str:
    """Say the first thing that is wrong: where, and what.

    within: the place of the value that was read, in what was sent.
    whole: what to call that place where the fault is all of it.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(filter(None, (within, *map(str, first["loc"])))) or whole
    message = _PLAIN.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{place}: {message}" if place else message


def is_too_deep(error: ValidationError) -> bool:
    """Tell whether JSON could not be read because it is nested too deeply, which says nothing about what it means."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return first["type"] == "json_invalid" and _TOO_DEEP in first["msg"]
