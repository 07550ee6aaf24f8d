"""The peer: the same two endpoints on Django REST framework and PynamoDB with default settings.

It has none of the product's other features.
"""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="insecure-key-of-the-peer",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.bench.peer.urls",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=[  # the defaults of `startproject`, without sessions and messages
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    USE_TZ=True,
)
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 # needs settings

application = get_wsgi_application()
