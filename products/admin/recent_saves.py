"""The products a user saved in the last minute, kept in the session.

The list reads them from the change log, so it shows them before any index has them.
"""

import time

from django.http import HttpRequest

SESSION_KEY = "recently_saved"
RETENTION_SECONDS = 60
MAX_REMEMBERED = 25


def remember_save(request: HttpRequest, *product_ids: str) -> None:
    """Note in the session that these products were saved just now."""
    now = time.time()
    saved_at = _recent(request, now) | dict.fromkeys(product_ids, now)
    newest = list(saved_at.items())[-MAX_REMEMBERED:]
    request.session[SESSION_KEY] = dict(newest)


def recently_saved(request: HttpRequest) -> tuple[str, ...]:
    """Return the ids of the products that this session saved in the last minute."""
    return tuple(_recent(request, time.time()))


def _recent(request: HttpRequest, now: float) -> dict[str, float]:
    """Return by product id when it was saved, in seconds since the epoch."""
    noted = request.session.get(SESSION_KEY, {})
    return {product_id: at for product_id, at in noted.items() if now - at < RETENTION_SECONDS}
