"""The peer: the same two endpoints the way a Django team would write them on a free afternoon - Django REST framework
over PynamoDB, all settings at their defaults, and none of what the product does besides."""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="insecure-key-of-the-peer",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.bench.peer.urls",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=[  # those that `startproject` sets up, without sessions and messages
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    USE_TZ=True,
)
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 # only now there are settings

application = get_wsgi_application()
