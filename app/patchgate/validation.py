"""Says in one line what a parser found wrong, in words of whoever sent it: no class of ours, no type of Python's."""

import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:  # pydantic is for who reads with it: a quarter of a second of CPU
    from pydantic import ValidationError

_PLAIN: Final = {
    "dataclass_type": "must be an object",
    "dict_type": "must be an object",
    "extra_forbidden": "is not allowed here",
    "int_type": "must be a number",
    "is_instance_of": "must be a list",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
}
_WRONG_TYPE: Final = re.compile(r"Expected `(object|array|str)[^`]*`, got `\w+`")  # msgspec's words
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`")
_PLAIN_TYPES: Final = {"object": "must be an object", "array": "must be a list", "str": "must be a text"}
DIGEST_PATTERN: Final = r"^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})\Z"
"""As `policy.reference` has digests, which is above this layer; a test compares them."""
TIME_WORDS: Final = "must be a text in RFC 3339, such as 2026-05-09T06:04:52Z"
_OTHERS: Final = (  # msgspec's words → ours
    (re.compile(r"Expected `str` matching regex .*sha256.*"), "must be sha256: and 64 lower-case hexadecimal digits"),
    (re.compile(r"Invalid RFC3339 encoded datetime|Expected `datetime.*"), TIME_WORDS),
    (re.compile(r"Expected `int[^`]*` >= .*"), "is too small a number"),
    (re.compile(r"Expected `int.*"), "must be a number"),
    (re.compile(r"Expected `(?:array|str)[^`]*` of length >= 1"), "must not be empty"),
    (re.compile(r"Invalid enum value ('.*')"), r"has the unknown value \1"),
)
_TOO_DEEP: Final = "recursion limit exceeded"  # jiter, which reads JSON for pydantic: 200 levels


def say_first_error(error: "ValidationError", *, within: str = "", whole: str = "") -> str:
    """Say the first thing that is wrong: where, and what.

    within: the place of the value that was read, in what was sent.
    whole: what to call that place where the fault is all of it.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(filter(None, (within, *map(str, first["loc"])))) or whole
    message = _PLAIN.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{place}: {message}" if place else message


def is_too_deep(error: "ValidationError") -> bool:
    """Tell whether JSON could not be read because it is nested too deeply, which says nothing about what it means."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return first["type"] == "json_invalid" and _TOO_DEEP in first["msg"]


def say_fault(error: msgspec.ValidationError, *, within: str = "", whole: str = "") -> str:
    """Say what msgspec, which stops at the first fault, found wrong: where, and what.

    within, whole: as `say_first_error` has them.
    """
    what, _, at = str(error).partition(" - at `$")
    missing, unknown = _MISSING.fullmatch(what), _UNKNOWN.fullmatch(what)
    steps = at.replace("[...]", "").replace("[", ".").replace("]", "").strip(".`")
    place = ".".join(filter(None, (within, steps, missing and missing[1], unknown and unknown[1]))) or whole
    message = "is missing" if missing else "is not allowed here" if unknown else _say_what(what)
    return f"{place}: {message}" if place else message


def _say_what(what: str) -> str:
    if wrong_type := _WRONG_TYPE.fullmatch(what):
        return _PLAIN_TYPES[wrong_type[1]]
    found = ((pattern.fullmatch(what), words) for pattern, words in _OTHERS)
    return next((match.expand(words) for match, words in found if match), "is not as the API has it")
