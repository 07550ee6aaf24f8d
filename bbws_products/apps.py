"""The project as a Django app, for its commands and its Celery app."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "bbws_products"
    verbose_name = "BBWS products"

    def ready(self) -> None:
        """Make our Celery app the current one, which the doorbell and Lambda's workers use."""
        from bbws_products.celery import app  # noqa: PLC0415 # it reads settings

        app.set_current()
