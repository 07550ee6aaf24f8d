"""The project as a Django app, so that Django finds its commands and loads its Celery app."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "bbws_products"
    verbose_name = "BBWS products"

    def ready(self) -> None:
        """Make our Celery app the current one, which the doorbell uses."""
        from bbws_products.celery import app  # noqa: PLC0415 # the module reads settings

        app.set_current()
