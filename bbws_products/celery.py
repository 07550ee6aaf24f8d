"""The Celery app. Its settings are in ``bbws_products.settings.celery``."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")

app = Celery("bbws_products")
app.add_defaults(lambda: settings.CELERY)
