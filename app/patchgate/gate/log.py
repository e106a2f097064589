"""The gate's log: one JSON line an event, readable lines on a terminal. Never headers, never whole bodies."""

import logging
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor


def make_log(stream: TextIO) -> FilteringBoundLogger:
    """Make a log that writes to the stream; nothing of it is global."""
    is_terminal = stream.isatty()
    renderers: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        cache_logger_on_first_use=True,
    )
    return log


class ForwardHandler(logging.Handler):
    """Forwards what libraries say through `logging` (uvicorn's warnings) to the log."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record as one line."""
        self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
