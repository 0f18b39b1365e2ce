"""What is said while it runs: structlog events, JSON with journald priorities under systemd, coloured on a terminal."""

import logging
import os
import sys
from typing import Any, TextIO

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

# Local variables stay out of every traceback: a database's password is one of them.
_traceback = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def configure(*, level: str, form: str, stream: TextIO | None = None) -> None:
    """Set up logging of this process once. `form` is auto, json or human; auto asks whether `stream` is a terminal."""
    out = stream if stream is not None else sys.stderr
    human = form == "human" or (form == "auto" and out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if human:
        colors = out.isatty() and "NO_COLOR" not in os.environ
        ending: list[Any] = [
            structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        ending = [_traceback, structlog.processors.JSONRenderer(default=str)]
        if "JOURNAL_STREAM" in os.environ:
            ending.append(_with_priority)
            shared.pop()  # journald stamps the time
            shared.insert(1, _keep_priority)
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    # Libraries speak through the standard library; what they warn of is an event like any other.
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=out, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _keep_priority(_logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
    event["priority"] = _PRIORITIES.get(method, 6)
    return event


def _with_priority(_logger: object, method: str, text: str) -> str:
    """Prefix the line with its priority as sd-daemon(3) reads it."""
    return f"<{_PRIORITIES.get(method, 6)}>{text}"


def get(**fields: object) -> Any:
    """Return a logger with `fields` bound."""
    return structlog.get_logger().bind(**fields)
