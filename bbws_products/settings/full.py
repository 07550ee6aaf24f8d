"""Settings of the whole product: API, workers and admin."""

import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

import dj_database_url
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured

from bbws_products.settings.api import *  # noqa: F403 # this builds on them
from bbws_products.settings.api import FIRST_MIDDLEWARE, LOCAL, MEDIA_BUCKET, REST_FRAMEWORK
from bbws_products.settings.base import ENVIRONMENT, QUEUE_URLS
from bbws_products.settings.celery import celery_settings
from bbws_products.settings.environment import number, required, text_list
from bbws_products.settings.headers import HTTPS
from bbws_products.settings.people import *  # noqa: F403 # second factors, sign-on, e-mail
from bbws_products.settings.people import PEOPLE_APPS
from bbws_products.settings.security import *  # noqa: F403 # login and sessions
from bbws_products.settings.sql import sql_database
from bbws_products.settings.theme import THEME
from bbws_products.settings.worker import *  # noqa: F403 # this builds on them
from products.changes import Effect
from products.invalidation import SETTLE_TIME
from tasks.queues import LONG_POLL_SECONDS, SHORT_NAMES, queue_name

BASE_DIR = Path(__file__).resolve().parents[2]

# The languages of the admin. Its users choose one in their profile. The API answers in English.
LANGUAGES = [("en-za", "English (South Africa)"), ("af", "Afrikaans")]
LOCALE_PATHS = [BASE_DIR / "products" / "locale"]  # before the catalogues of the frameworks
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "language"
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())

RELAY_EVERY = timedelta(seconds=number("RELAY_EVERY_SECONDS", 10))
VERIFY_EVERY = timedelta(seconds=number("VERIFY_EVERY_SECONDS", 300))
HEARTBEAT_DIR = required(
    "HEARTBEAT_DIR",
    "A directory where the worker touches a file per queue it polls, e.g. /run/worker.",
)
SQS_WAIT_SECONDS = int(number("SQS_WAIT_SECONDS", LONG_POLL_SECONDS))
WORKER_CONCURRENCY = int(number("WORKER_CONCURRENCY", 2))
COMBINED_EFFECTS = frozenset({Effect.SEARCHABLE, Effect.AUDITED})
short_names = text_list("QUEUES", ",".join(SHORT_NAMES))
if unknown := sorted(set(short_names) - SHORT_NAMES.keys()):
    raise ImproperlyConfigured(f"QUEUES may name {', '.join(SHORT_NAMES)}, not {unknown[0]!r}.")
QUEUES = [queue_name(name, ENVIRONMENT) for name in short_names]
CELERY = celery_settings(ENVIRONMENT, QUEUE_URLS, RELAY_EVERY, VERIFY_EVERY)
ALLOWED_HOSTS = text_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = text_list("CSRF_TRUSTED_ORIGINS")

# How long the microcache keeps a public response. It must be well below SETTLE_TIME: the delay
# between a change and its CloudFront invalidation.
HOT_ANSWER_SECONDS = number("HOT_ANSWER_SECONDS", 0.1)
if not 0 <= HOT_ANSWER_SECONDS <= SETTLE_TIME.total_seconds() / 2:
    raise ImproperlyConfigured(
        "HOT_ANSWER_SECONDS must be from 0 to 0.5: an invalidation covers a change after 1 s."
    )

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin, whose templates it replaces
    "products.access.apps.SiteConfig",  # django.contrib.admin
    "products.access.apps.AccessConfig",  # django.contrib.auth
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *PEOPLE_APPS,
    "axes",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bbws_products",  # for its management commands
    "products",
]
MIDDLEWARE = [
    *FIRST_MIDDLEWARE,
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "products.access.language.LanguageMiddleware",  # before all that may show a page
    "products.access.session_faults.TolerantSessionMiddleware",
    "products.access.sessions.IdleTimeoutMiddleware",
    "products.access.ended_sessions.EndedSessionMiddleware",
    "products.api.health.HealthMiddleware",  # before anything looks at the Host header
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "products.access.profiles.ProfileMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "products.access.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last, as axes requires: it shows the lockout page
]
ROOT_URLCONF = "bbws_products.urls"
LATE_VIEWS = False
WSGI_APPLICATION = "bbws_products.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],  # nearly every template has texts
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
# SQL holds users, sessions and the admin's own log; products are in DynamoDB.
database_url = required(
    "DATABASE_URL", "e.g. sqlite:///.local/db.sqlite3 or postgres://user:password@host/name."
)
DATABASES = {"default": sql_database(dict(dj_database_url.parse(database_url, conn_max_age=60)))}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The time zone of the admin for everybody who has not chosen another. The API is always in UTC.
STAFF_TIME_ZONE = os.environ.get("STAFF_TIME_ZONE", "Africa/Johannesburg")
if STAFF_TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(
        f"STAFF_TIME_ZONE must be a zone such as Africa/Johannesburg, not {STAFF_TIME_ZONE!r}."
    )
# Where customers see a product; {id} is replaced. Without it, the admin has no link to the website.
WEBSITE_PRODUCT_URL = os.environ.get("WEBSITE_PRODUCT_URL", "")
STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / ".local" / "static"))
media_timeouts = Config(connect_timeout=1, read_timeout=10, retries={"total_max_attempts": 2})
STORAGES = {
    "default": {
        "BACKEND": "products.adapters.media.MediaStorage",
        "OPTIONS": {
            "bucket_name": MEDIA_BUCKET,
            "querystring_auth": False,
            "client_config": media_timeouts,
            # Keys are hashes of the image, so the same key is the same image.
            "file_overwrite": True,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = LOCAL
if LOCAL:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

UNFOLD = THEME

# Staff who are logged in to the admin can use the browsable API with their session.
REST_FRAMEWORK = {
    **REST_FRAMEWORK,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        *REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"],
        "products.api.authentication.CookieAuthentication",
    ],
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_RENDERER_CLASSES": [
        *REST_FRAMEWORK["DEFAULT_RENDERER_CLASSES"],
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "products.api.contract.schema.ContractSchema",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "BBWS product catalogue",
    "DESCRIPTION": (
        "Every write is accepted immediately, can be followed to its last effect, "
        "and is never lost."
    ),
    "VERSION": "1.0",
    "CONTACT": {"name": "BBWS product catalogue"},
    "LICENSE": {"name": "All rights reserved", "url": "https://choosealicense.com/no-permission/"},
    "SERVERS": [{"url": "http://127.0.0.1:8000", "description": "What `make run` starts."}],
    "TAGS": [
        {"name": "products", "description": "The catalogue: reading, writing, history."},
        {"name": "jobs", "description": "Imports, bulk edits and their undo."},
        {"name": "plans", "description": "Edits that start and end at a time."},
    ],
    "POSTPROCESSING_HOOKS": ["products.api.contract.schema.add_components"],
    "SWAGGER_UI_DIST": "SIDECAR",  # files from the Python package instead of a CDN
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
