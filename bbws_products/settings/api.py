"""Settings of the API-only deployment: no admin, SQL, sessions or Celery.

Clients authenticate with bearer tokens only.
"""

import os
from typing import Any

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from bbws_products.settings.base import *  # noqa: F403 # this builds on them
from bbws_products.settings.base import ENVIRONMENT
from bbws_products.settings.environment import flag, is_weak, number, required, text_list
from bbws_products.settings.headers import *  # noqa: F403 # HTTPS and security headers
from bbws_products.settings.headers import LOCAL

SECRET_KEY = required(
    "SECRET_KEY", "Any long random text: python3 -c 'import secrets; print(secrets.token_hex(32))'."
)
DEBUG = flag("DEBUG", False)
required(
    "TOKEN_KEYS", "Long random texts, comma-separated: the first signs API tokens, all verify them."
)
TOKEN_KEYS = text_list("TOKEN_KEYS")
has_unsafe_key = SECRET_KEY in TOKEN_KEYS or any(map(is_weak, (SECRET_KEY, *TOKEN_KEYS)))
if ENVIRONMENT in {"sit", "prod"} and (DEBUG or LOCAL or has_unsafe_key):
    raise ImproperlyConfigured(
        f"{ENVIRONMENT} refuses to start with DEBUG, LOCAL or keys meant for development."
    )

# API Gateway forwards requests for its own host names only.
ALLOWED_HOSTS = ["*"]
MEDIA_URL = required(
    "MEDIA_URL",
    "Where browsers find product images, with a slash at the end, e.g. https://media.example/.",
)
MEDIA_BUCKET = required(
    "MEDIA_BUCKET", "The S3 bucket of product images, e.g. bbws-product-media-dev."
)

# Tokens of an external issuer such as Cognito are accepted if JWKS_URL is set.
JWKS_URL = os.environ.get("JWKS_URL", "")
JWKS_ISSUER = (
    required("JWKS_ISSUER", "The issuer whose tokens JWKS_URL verifies.") if JWKS_URL else ""
)
# Without an audience, the issuer's tokens for any other application would be accepted.
JWKS_AUDIENCE = (
    required("JWKS_AUDIENCE", "The audience of the issuer's tokens for this API.")
    if JWKS_URL
    else ""
)
JWKS_GROUPS_CLAIM = os.environ.get("JWKS_GROUPS_CLAIM", "cognito:groups")
# Requests a second from one client; 0 means no limit.
THROTTLE_PUBLIC = int(number("THROTTLE_PUBLIC", 100))
THROTTLE_STAFF = int(number("THROTTLE_STAFF", 50))

INSTALLED_APPS = ["products"]
FIRST_MIDDLEWARE = [
    "products.api.middleware.RequestIdMiddleware",
    "bbws_products.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "bbws_products.security_headers.PageHeadersMiddleware",
    "bbws_products.security_headers.ContentSecurityPolicy",
]
MIDDLEWARE = [
    *FIRST_MIDDLEWARE,
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "bbws_products.urls_api"
LATE_VIEWS = True  # a function serves few of them
DATABASES: dict[str, Any] = {}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["products.api.authentication.BearerAuthentication"],
    "UNAUTHENTICATED_USER": "products.api.authentication.AnonymousCaller",
    "DEFAULT_PERMISSION_CLASSES": ["products.api.permissions.ProductPermission"],
    "DEFAULT_PARSER_CLASSES": ["products.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["products.api.renderers.ExactJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["products.api.throttling.ClientThrottle"],
    "NUM_PROXIES": int(number("NUM_PROXIES", 0)),
    "EXCEPTION_HANDLER": "products.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}

# Scripts from these origins may call the API with a token; session cookies work on our pages only.
CORS_ALLOWED_ORIGINS = text_list("CORS_ALLOWED_ORIGINS")
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
