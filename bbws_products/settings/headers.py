"""The settings of HTTPS and of the headers that tell a browser what it may do; ``pages`` sends some of them."""

import os
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_INLINE

from bbws_products.settings.environment import flag

LOCAL = flag(
    "LOCAL", False
)  # on one machine only: plain HTTP, and static files straight from the apps
HTTPS = not LOCAL

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # load balancers ask over plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SILENCED_SYSTEM_CHECKS = [
    "security.W021"
]  # preloading is up to the domain's owner, not to one host in it
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_media = urlsplit(os.environ.get("MEDIA_URL", ""))
MEDIA_ORIGIN = [f"{_media.scheme}://{_media.netloc}"] if _media.netloc else []

# No script but our own files, no style element at all. `pages.ContentSecurityPolicy` adds what the admin's theme needs.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": [
            UNSAFE_INLINE
        ],  # the theme, Swagger UI and the browsable API place things by `style=`
        "img-src": [SELF, "data:", *MEDIA_ORIGIN],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
    }
}
