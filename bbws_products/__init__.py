"""The project: settings, URLs, and the Celery app, which must exist wherever Django does so that doorbells ring."""

from bbws_products.celery import app as celery_app

__all__ = ["celery_app"]
