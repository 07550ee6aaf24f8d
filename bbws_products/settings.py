"""All settings, from the environment. AWS region, credentials and endpoints are read by boto3 itself (``AWS_*``)."""

import logging
import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from botocore.config import Config
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from bbws_products.celery import celery_settings
from bbws_products.environment import flag, is_weak, number, required, words
from bbws_products.logs import logging_settings
from bbws_products.security import *  # noqa: F403 # signing in, sessions, cookies, headers: settings like these here
from bbws_products.security import LOCAL
from bbws_products.theme import THEME
from tasks.queues import WAIT_SECONDS, queue_urls, transport_options

BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT = required("ENVIRONMENT", "One of dev, sit, prod: it is a part of the name of every queue and table.")
SECRET_KEY = required("SECRET_KEY", "Any long random text: python3 -c 'import secrets; print(secrets.token_hex(32))'.")
DEBUG = flag("DEBUG", False)
required("TOKEN_KEYS", "Long random texts, comma-separated: the first signs API tokens, all verify them.")
TOKEN_KEYS = words("TOKEN_KEYS")
weak = [key for key in (SECRET_KEY, *TOKEN_KEYS) if is_weak(key)]
if ENVIRONMENT in {"sit", "prod"} and (DEBUG or LOCAL or weak or SECRET_KEY in TOKEN_KEYS):
    raise ImproperlyConfigured(f"{ENVIRONMENT} refuses to start with DEBUG, LOCAL or keys meant for development.")

ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

# The catalogue
PRODUCTS_TABLE = os.environ.get("PRODUCTS_TABLE", f"bbws-products-{ENVIRONMENT}")
SEARCH_ALIAS = os.environ.get("SEARCH_ALIAS", f"bbws-products-{ENVIRONMENT}")
AUDIT_BUCKET = required("AUDIT_BUCKET", "The S3 bucket of the audit trail, e.g. bbws-product-audit-dev.")
ENABLE_OPENSEARCH = flag("ENABLE_OPENSEARCH", True)
OPENSEARCH_URL = (
    required("OPENSEARCH_URL", "e.g. https://host:443, or switch search off with ENABLE_OPENSEARCH=0.")
    if ENABLE_OPENSEARCH
    else ""
)
ENABLE_CLOUDFRONT = flag("ENABLE_CLOUDFRONT", True)
CLOUDFRONT_DISTRIBUTION_ID = (
    required("CLOUDFRONT_DISTRIBUTION_ID", "e.g. E2QWRUHAPOMQZL, or switch purging off with ENABLE_CLOUDFRONT=0.")
    if ENABLE_CLOUDFRONT
    else ""
)
RELAY_AFTER = timedelta(seconds=number("RELAY_AFTER_SECONDS", 30))
RELAY_EVERY = timedelta(seconds=number("RELAY_EVERY_SECONDS", 10))
VERIFY_EVERY = timedelta(seconds=number("VERIFY_EVERY_SECONDS", 300))

# Tokens of an external issuer, e.g. Cognito's; none without a JWKS_URL.
JWKS_URL = os.environ.get("JWKS_URL", "")
JWKS_ISSUER = required("JWKS_ISSUER", "The issuer whose tokens JWKS_URL verifies.") if JWKS_URL else ""
JWKS_AUDIENCE = os.environ.get("JWKS_AUDIENCE", "")
JWKS_GROUPS_CLAIM = os.environ.get("JWKS_GROUPS_CLAIM", "cognito:groups")
# Calls a second of one client; 0 is no limit.
THROTTLE_PUBLIC = int(number("THROTTLE_PUBLIC", 100))
THROTTLE_STAFF = int(number("THROTTLE_STAFF", 50))

SQS_QUEUE_URL_PREFIX = required("SQS_QUEUE_URL_PREFIX", "e.g. https://sqs.eu-west-1.amazonaws.com/123456789012")
QUEUE_URLS = queue_urls(ENVIRONMENT, SQS_QUEUE_URL_PREFIX)
CELERY = celery_settings(
    ENVIRONMENT,
    transport_options(
        ENVIRONMENT,
        SQS_QUEUE_URL_PREFIX,
        required("HEARTBEAT_DIR", "A directory where the worker touches a file per queue it polls, e.g. /run/worker."),
        int(number("SQS_WAIT_SECONDS", WAIT_SECONDS)),
    ),
    RELAY_EVERY,
    VERIFY_EVERY,
)

# Django
INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bbws_products",  # for its commands, which know of more than the catalogue
    "products",
]
MIDDLEWARE = [
    "products.api.requests.RequestIdMiddleware",
    "bbws_products.access.AccessLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "bbws_products.pages.PageHeadersMiddleware",
    "bbws_products.pages.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bbws_products.sessions.SignOfLifeMiddleware",
    "products.api.health.HealthMiddleware",  # before anything looks at the Host header
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last: it turns the answer to a locked login into the page that says so
]
ROOT_URLCONF = "bbws_products.urls"
WSGI_APPLICATION = "bbws_products.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
# SQL holds users, sessions and the admin's own log, never a product.
DATABASES = {
    "default": dj_database_url.parse(
        required("DATABASE_URL", "e.g. sqlite:///.local/db.sqlite3 or postgres://user:password@host/name."),
        conn_max_age=60,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / ".local" / "static"))
MEDIA_URL = required(
    "MEDIA_URL", "Where browsers find product images, with a slash at the end, e.g. https://media.example/."
)
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": required("MEDIA_BUCKET", "The S3 bucket of product images, e.g. bbws-product-media-dev."),
            "querystring_auth": False,
            "client_config": Config(connect_timeout=1, read_timeout=10, retries={"total_max_attempts": 2}),
            "file_overwrite": True,  # a key is made from what the image shows, so the same key is the same image
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = LOCAL
if LOCAL:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

UNFOLD = THEME

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "products.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["products.api.permissions.ProductPermission"],
    "DEFAULT_PARSER_CLASSES": ["products.api.requests.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "products.api.requests.ExactJSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["products.api.throttling.ClientThrottle"],
    "NUM_PROXIES": int(number("NUM_PROXIES", 0)),
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "products.api.errors.answer",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "BBWS product catalogue",
    "DESCRIPTION": "Every write is accepted at once, can be followed to its last effect, and is never lost.",
    "VERSION": "1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/v1\.0",
    "SWAGGER_UI_DIST": "SIDECAR",  # bundled files, no CDN
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# Browsers of these origins may call the API with a token; sessions are for our own pages only.
CORS_ALLOWED_ORIGINS = words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/v1\.0/"
CORS_PREFLIGHT_MAX_AGE = 3600
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]

LOG_FORMAT = os.environ.get("LOG_FORMAT", "json")
if LOG_FORMAT not in {"json", "line"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be json or line, not {LOG_FORMAT!r}.")
logging.captureWarnings(LOG_FORMAT == "json")  # they too are lines of a log then
LOG_SAMPLE_READS = number("LOG_SAMPLE_READS", 1)
LOGGING = logging_settings(
    LOG_FORMAT,
    os.environ.get("LOG_LEVEL", "INFO"),
    ENVIRONMENT if flag("ENABLE_METRICS", True) else None,
)
