"""Functions like ``map`` that make several calls at a time. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Any

MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""As ``map``, perhaps with several calls at a time."""


def bounded_map[A, B](
    executor: Executor, ahead: int, function: Callable[[A], B], items: Iterable[A]
) -> Iterator[B]:
    """Yield the results in order; at most ``ahead`` calls have begun whose result is not read yet.

    So the memory is bounded, however many items there are: ``Executor.map`` reads all of them
    first. The error of a call is raised in its place, and then no further call begins.
    """
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def context_map[A, B](
    executor: Executor, function: Callable[[A], B], items: Iterable[A]
) -> Iterator[B]:
    """Begin all calls, and return their results in order.

    The calls see the caller's context variables, such as the fields of its log lines.
    """
    futures = [executor.submit(copy_context().run, function, item) for item in items]
    return (future.result() for future in futures)


def attempt(perform: Callable[[Any], object], item: Any) -> Exception | None:
    """Return the error of a call, so that it concerns one item of a batch only."""
    result = result_of(perform, item)
    return result if isinstance(result, Exception) else None


def result_of(perform: Callable[[Any], Any], item: Any) -> Any:
    """Return the result of a call, or its error."""
    try:
        return perform(item)
    except Exception as error:
        return error
