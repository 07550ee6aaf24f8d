"""Repeated requests: a long command waits until a dependency serves it again. Pure."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from products.errors import DependencyNeedsOperator, DependencyUnavailable

logger = logging.getLogger(__name__)

PAUSES = (1, 2, 4, 8, 16, *[30] * 19)
"""The seconds before each new attempt of one request: ten minutes in all.

A node of OpenSearch restarts within minutes, and a full queue drains within seconds.
"""


def no_check() -> bool:
    """Check nothing after a failed attempt."""
    return False


@dataclass(frozen=True, slots=True)
class Retries:
    """Attempts of a request, with growing pauses while a dependency is unavailable."""

    sleep: Callable[[float], None]
    pauses: tuple[float, ...] = PAUSES

    def run[T](self, request: Callable[[], T], check: Callable[[], bool] = no_check) -> T:
        """Return the result of the request.

        ``check`` runs after each failed attempt. It returns whether it has ended the fault.

        Raises: DependencyNeedsOperator immediately, from both; DependencyUnavailable after the
        last attempt.
        """
        for pause in self.pauses:
            try:
                return request()
            except DependencyNeedsOperator:
                if not check():
                    raise
            except DependencyUnavailable as fault:
                if not _ends_fault(check):
                    facts = {"fault": str(fault), "seconds": pause}
                    logger.warning("waiting for %s", fault.dependency, extra=facts)
                    self.sleep(pause)
        return request()


def _ends_fault(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except DependencyNeedsOperator:
        raise
    except DependencyUnavailable:
        return False
