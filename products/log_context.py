"""Fields of the current request or task that every log line carries. Pure."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: Any) -> Iterator[None]:
    """Add these fields to all log lines inside the block, except fields that are empty."""
    known = {name: value for name, value in fields.items() if value not in (None, "")}
    previous = _fields.set({**_fields.get(), **known})
    try:
        yield
    finally:
        _fields.reset(previous)


class LogFieldsFilter(logging.Filter):
    """Adds the current fields to each log record, of our own code and of libraries.

    A field that the record has already is kept.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _fields.get().items():
            vars(record).setdefault(name, value)
        return True
