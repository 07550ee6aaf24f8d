"""Log formatters and settings: a search for one id follows a write from request to last effect.

Facts about a whole request or task are bound once, where it begins. Code that logs below it adds
only the facts of its own event. An event is a constant message, so that events can be counted.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from bbws_products.metrics import METRICS, metric_fields

STANDARD = set(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "data",
    "request",
}
SECRET = re.compile(
    r"authori[sz]ation|cookie|token|secret|password|credential|body|api_?key", re.IGNORECASE
)
MAX_TEXT_LENGTH = 2000
"""Of a message or a field: a client chooses many of them, such as the Host header."""
MAX_STACK_LENGTH = 20_000
SECURITY = "django.security"
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
OWN = ("bbws_products", "products", "tasks")
ALWAYS_LOGGED = METRICS.keys() - {"request answered"}
"""Events that are logged at any level, because alarms need their metrics.

Answered requests are too many; API Gateway counts them as well.
"""


def event_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the event's own fields, hiding the values whose names suggest a secret."""
    facts = {name: value for name, value in vars(record).items() if name not in STANDARD}
    return {
        name: "[hidden]" if SECRET.search(name) else shortened(value)
        for name, value in facts.items()
    }


def shortened[T](value: T, length: int = MAX_TEXT_LENGTH) -> T | str:
    """Return a long text without its middle, and anything else as it is."""
    if not isinstance(value, str) or len(value) <= length:
        return value
    return f"{value[: length // 2]} … {value[-length // 2 :]}"


class LineFormatter(logging.Formatter):
    """Format for people: the message, then the event's fields as key=value."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 # logging's name
        facts = " ".join(f"{name}={value}" for name, value in event_fields(record).items())
        record.message = shortened(record.message)
        line = f"{super().formatMessage(record)} {facts}".rstrip()
        # A client could write lines of its own, or control the terminal, by a path with %0A.
        return CONTROL_CHARACTERS.sub(lambda found: ascii(found.group())[1:-1], line)


class JsonFormatter(logging.Formatter):
    """Format for machines: one JSON object a line.

    With an ``environment``, the line of a measured event also contains its metric.
    """

    def __init__(self, environment: str | None = None) -> None:
        super().__init__()
        self.environment = environment

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "event": shortened(record.getMessage()),
            **event_fields(record),
        }
        if record.exc_info and record.exc_info[0]:
            stack = shortened(self.formatException(record.exc_info), MAX_STACK_LENGTH)
            line["exception"] = {"type": record.exc_info[0].__qualname__, "stack": stack}
        if self.environment:
            line |= metric_fields(line, self.environment, at)
        return json.dumps(line, default=str, ensure_ascii=False)


class RefusedRequestFilter(logging.Filter):
    """Makes a request that Django refuses, such as one for another host, a warning of one line.

    Anybody can send many. To Django each is an error with a traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(SECURITY):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class LevelFilter(logging.Filter):
    """Refuse our own events below a level, except those in ``ALWAYS_LOGGED``."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self.level = logging.getLevelNamesMapping()[level]

    def filter(self, record: logging.LogRecord) -> bool:
        is_own = record.name.partition(".")[0] in OWN
        return not is_own or record.levelno >= self.level or record.getMessage() in ALWAYS_LOGGED


QUIET = {
    # The request log already has a line for each 4xx response.
    "django.request": "ERROR",
    "opensearch": "ERROR",
    "axes": "WARNING",
    "botocore": "WARNING",
    # Granian warns about more threads than processors; ours mostly wait for I/O.
    "_granian": "ERROR",
    # Celery beat logs each time it sends the relay task.
    "celery.beat": "WARNING",
}
"""The lowest level that is logged of libraries that say too much."""


def logging_settings(style: str, level: str, environment: str | None) -> dict[str, Any]:
    """Return Django's LOGGING setting.

    ``environment`` is the dimension of the metrics in the log lines; None writes no metrics.
    Logs go to stderr, because commands print their results to stdout.
    """
    formatters = {
        "line": {"()": "bbws_products.logs.LineFormatter"},
        "json": {"()": "bbws_products.logs.JsonFormatter", "environment": environment},
    }
    filters: dict[str, Any] = {
        "bound": {"()": "products.log_context.LogFieldsFilter"},
        "refused": {"()": "bbws_products.logs.RefusedRequestFilter"},
    }
    # The scheduler's --loglevel sets the root's level; our own loggers keep theirs.
    own_level = level
    if environment and logging.getLevelNamesMapping()[level] > logging.INFO:
        filters["level"] = {"()": "bbws_products.logs.LevelFilter", "level": level}
        own_level = "INFO"
    handler = {"class": "logging.StreamHandler", "formatter": style, "filters": list(filters)}
    levels = dict.fromkeys(OWN, own_level) | QUIET
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": filters,
        "formatters": formatters,
        "handlers": {"stderr": handler},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {name: {"level": level} for name, level in levels.items()},
    }
