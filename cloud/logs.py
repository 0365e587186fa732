"""How the cloud's log looks: facts with fields, for people or for machines."""

import logging
from typing import Any, Literal

import structlog


def configure_logs(style: Literal["console", "json"], level: str) -> None:
    """Set structlog up for this process; the log goes to standard output."""
    # not structlog's own choice, which shows local variables, and with them keys and tokens
    plain = structlog.dev.plain_traceback
    shape: list[Any] = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    if style == "json":
        shape = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level(level)),
        cache_logger_on_first_use=True,
    )


def _level(name: str) -> int:
    return logging.getLevelNamesMapping().get(name.upper(), logging.INFO)
