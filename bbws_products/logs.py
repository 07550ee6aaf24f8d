"""What a log line holds, and how it looks: one search by an id follows a write from the request to its last effect.

What is known of a whole request or task is bound once, where that begins; whoever logs below adds only what is
particular to its event. An event is a constant message, so that it can be counted.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from bbws_products.metrics import metric_fields

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
OWN = ("bbws_products", "products", "tasks")


def event_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What this event says beyond its message; a value whose name sounds like a secret is not shown."""
    facts = {name: value for name, value in vars(record).items() if name not in STANDARD}
    return {name: "[hidden]" if SECRET.search(name) else value for name, value in facts.items()}


class LineFormatter(logging.Formatter):
    """For people: the message, then what is particular about this event as key=value."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 # logging's name
        facts = " ".join(f"{name}={value}" for name, value in event_fields(record).items())
        return f"{super().formatMessage(record)} {facts}".rstrip()


class JsonFormatter(logging.Formatter):
    """For machines: one JSON object a line, which carries its metric in itself where ``environment`` is given."""

    def __init__(self, environment: str | None = None) -> None:
        super().__init__()
        self.environment = environment

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **event_fields(record),
        }
        if record.exc_info and record.exc_info[0]:
            stack = self.formatException(record.exc_info)
            line["exception"] = {"type": record.exc_info[0].__qualname__, "stack": stack}
        if self.environment:
            line |= metric_fields(line, self.environment, at)
        return json.dumps(line, default=str, ensure_ascii=False)


def logging_settings(style: str, level: str, environment: str | None) -> dict[str, Any]:
    """Django's LOGGING; ``environment`` where lines carry metrics, None where nobody reads them.

    Everything goes to stderr: what a command answers is on stdout, and every platform keeps both.
    """
    formatters = {
        "line": {"()": "bbws_products.logs.LineFormatter"},
        "json": {"()": "bbws_products.logs.JsonFormatter", "environment": environment},
    }
    handler = {"class": "logging.StreamHandler", "formatter": style, "filters": ["bound"]}
    quiet = {
        "django.request": "ERROR",  # 4xx answers are the caller's news; each answer has a line of its own
        "opensearch": "ERROR",
        "axes": "WARNING",
        "botocore": "WARNING",
        "celery.app.trace": "CRITICAL",  # our tasks tell themselves what became of them, with the ids to find it by
        "celery.worker.strategy": "WARNING",
        "_granian": "ERROR",  # it warns of more threads than processors, which wait for engines most of the time
        "celery.beat": "WARNING",  # it tells each time that it is time for the relay
    }
    # Celery's --loglevel sets the root's level; our own loggers keep theirs.
    levels = dict.fromkeys(OWN, level) | quiet
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"bound": {"()": "products.log_context.LogFieldsFilter"}},
        "formatters": formatters,
        "handlers": {"stderr": handler},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {name: {"level": level} for name, level in levels.items()},
    }
