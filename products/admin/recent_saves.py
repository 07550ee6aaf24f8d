"""What somebody saved in the last minute, kept in their session: a list shows it before any index knows of it."""

import time
from typing import Any

KEY, SECONDS, MOST = "recently_saved", 60, 25


def remember(request: Any, *product_ids: str) -> None:
    """Note the products as just saved by this session."""
    now = time.time()
    kept = {
        product_id: at
        for product_id, at in request.session.get(KEY, {}).items()
        if now - at < SECONDS
    }
    kept |= dict.fromkeys(product_ids, now)
    request.session[KEY] = dict(list(kept.items())[-MOST:])


def recent(request: Any) -> tuple[str, ...]:
    """The products this session saved within the last minute."""
    now = time.time()
    return tuple(
        product_id for product_id, at in request.session.get(KEY, {}).items() if now - at < SECONDS
    )
