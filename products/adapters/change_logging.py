"""Log events about a change, each with the ids by which one search follows a write."""

import logging
from typing import Any

from products.changes import Change


def log_change(
    logger: logging.Logger,
    event: str,
    change: Change,
    level: int = logging.INFO,
    **facts: Any,
) -> None:
    """Log one line: a constant ``event``, the ids of the change, and the facts of this event."""
    ids = {
        "request_id": change.origin.request_id,
        "change_id": change.change_id,
        "product_id": change.product_id,
        "version": change.version,
    }
    logger.log(level, event, extra=ids | facts)
