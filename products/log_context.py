"""Facts about the current request or task that every log line carries. Pure."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))


@contextmanager
def log_fields(**facts: Any) -> Iterator[None]:
    """While this lasts, every line of this thread carries these facts; those that are not known are left out."""
    known = {name: value for name, value in facts.items() if value not in (None, "")}
    before = _bound.set({**_bound.get(), **known})
    try:
        yield
    finally:
        _bound.reset(before)


class LogFieldsFilter(logging.Filter):
    """Adds what is bound to each record, whichever library wrote it; what an event says itself goes before."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _bound.get().items():
            vars(record).setdefault(name, value)
        return True
