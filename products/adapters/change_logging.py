"""What the log is told of a change: each event with the ids that one search follows a write by."""

import logging
from typing import Any

from products.changes import Change


def log_change(
    logger: logging.Logger, event: str, change: Change, level: int = logging.INFO, **facts: Any
) -> None:
    """One line; ``event`` is a constant message, ``facts`` are what is particular about it."""
    about = {
        "request_id": change.origin.request_id,
        "change_id": change.change_id,
        "product_id": change.product_id,
        "version": change.version,
    }
    logger.log(level, event, extra=about | facts)
