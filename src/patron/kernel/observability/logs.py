"""Structured logs: one JSON object a line on standard error, with the request's id on every line it caused.

Lines of structlog and of the standard library come out alike. Nothing personal belongs in a log: paths are written
without their query string, SQL without its parameters.
"""

import logging
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def logging_settings(*, style: str, level: str, library_level: str) -> dict[str, Any]:
    """Django's LOGGING. `style` is `json` or `console`; `level` is for Patron's own lines, the other for the rest."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if style != "json":
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": library_level},
        "loggers": {
            "patron": {"level": level},
            "django.request": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
        },
    }


def configure() -> None:
    """Send structlog's lines through the standard library, where LOGGING takes them. Called once at start-up."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(capture=False)
