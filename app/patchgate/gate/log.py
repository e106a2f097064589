"""The gate's log: one JSON line an event, readable lines on a terminal. Never headers, never whole bodies."""

import json
import logging
from datetime import UTC, datetime
from typing import Final, Protocol, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class LineStream(Protocol):
    """What a log is written to: the part of a text stream that it needs."""

    def write(self, text: str, /) -> int:
        """Take a line."""
        ...

    def flush(self) -> None:
        """Have what was taken written."""
        ...

    def isatty(self) -> bool:
        """Tell whether a person reads along."""
        ...


def make_log(stream: LineStream) -> FilteringBoundLogger:
    """Make a log that writes to the stream; nothing of it is global."""
    lazy = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", stream)),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=_list_terminal_processors() if stream.isatty() else [_render_json],
    )
    log: FilteringBoundLogger = lazy.bind()  # bound once, not at every line
    return log


def _list_terminal_processors() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),  # rich's shows variables
    ]


def _render_json(logger: object, level: str, event: EventDict) -> str:
    """Render an event in one step: structlog's own processors, one after the other, are half of what a denial costs."""
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, level, event)
    line = {**event, "level": level, "timestamp": datetime.now(UTC)}
    try:
        return _ENCODER.encode(line).decode()
    except (ValueError, TypeError):  # half a surrogate pair, of a file's name; the other way writes anything
        return json.dumps(msgspec.to_builtins(line, enc_hook=str))


class ForwardHandler(logging.Handler):
    """Forwards what libraries say through `logging` (uvicorn's warnings) to the log."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record as one line."""
        self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
