"""What gunicorn reads (``--config python:bbws_products.gunicorn``): its lines are ours, and it tells of no request.

Each request has a line by ``bbws_products.access``, with the ids that gunicorn does not know.
"""

from typing import Any

from django.conf import settings

accesslog = None
logconfig_dict: dict[str, Any] = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"] | {"gunicorn.error": {"propagate": True, "handlers": []}}
}
