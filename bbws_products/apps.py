"""The project as a Django app, so that Django finds its commands."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "bbws_products"
    verbose_name = "BBWS products"
