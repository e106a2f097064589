"""Converts plain values of flags without pydantic, which typer (0.29) imports for any value: 0.3 s of CPU.

Only what is certain: a text, a number in its range, a word of a choice, a path. All else, and so every error, is left
to typer. It hangs on one attribute of typer's parameters, `_runtime_param`; where that is not read, typer converts all.
"""

from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, get_args, get_origin

HELP_NAMES: Final = ["-h", "--help"]
_CONTEXT: Final = SimpleNamespace(help_option_names=HELP_NAMES)
"""All that making the option for help asks of a context."""
_UNSURE: Final = object()


class PlainValues:
    """Converts the values of one parameter, in the place of typer's own conversion."""

    def coerce(self, value: object, param: Any, ctx: Any) -> Any:  # noqa: ANN401 -- as typer has them
        """Convert a value, as typer does."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        converted = _convert(value, param.type_descriptor.annotation, param.type_descriptor.parameter_info)
        if converted is _UNSURE:
            param._runtime_param = None  # noqa: SLF001 -- as the module says
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)
        return converted


def use_plain_values(command: Any) -> None:  # noqa: ANN401 -- typer's own class is not public
    """Have the parameters of a command converted here, that of its help too."""
    for param in (*command.params, command.get_help_option(_CONTEXT)):
        if getattr(param, "_runtime_param", _UNSURE) is None:
            param._runtime_param = PlainValues()  # noqa: SLF001 -- as the module says


def _convert(value: object, annotation: Any, info: Any) -> object:  # noqa: ANN401 -- as typer has them
    """Convert a value that certainly is one of the annotation; `_UNSURE` for all others."""
    if getattr(info, "parser", None):
        return _parse(value, info.parser)
    if get_origin(annotation) is list:
        (each,) = get_args(annotation)
        items = [_convert(item, each, info) for item in value] if isinstance(value, list | tuple) else [_UNSURE]
        return _UNSURE if _UNSURE in items else items
    if annotation is str:
        return value if isinstance(value, str) else _UNSURE
    if annotation is Path:
        return Path(value) if isinstance(value, str | Path) and not (info.exists or info.resolve_path) else _UNSURE
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next((each for each in annotation if value in {each, each.value}), _UNSURE)
    return _convert_number(value, annotation, info) if annotation in {int, float} else _UNSURE


def _parse(value: object, parser: Any) -> object:  # noqa: ANN401 -- as typer has it
    try:
        return parser(value) if isinstance(value, str) else _UNSURE
    except Exception:  # noqa: BLE001 -- typer parses it again, and says what is wrong
        return _UNSURE


def _convert_number(value: object, annotation: Any, info: Any) -> object:  # noqa: ANN401 -- as typer has them
    is_digits = isinstance(value, str) and value.isascii() and value.isdecimal()
    if not is_digits and (isinstance(value, bool) or not isinstance(value, int | float)):
        return _UNSURE
    number = annotation(value)
    is_low, is_high = info.min is not None and number < info.min, info.max is not None and number > info.max
    return _UNSURE if is_low or is_high else number
