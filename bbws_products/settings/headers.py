"""Settings for HTTPS and the security headers; ``bbws_products.security_headers`` uses them."""

import os
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_INLINE

from bbws_products.settings.environment import flag

# For one machine only: plain HTTP, and static files served from the apps' folders.
LOCAL = flag("LOCAL", False)
HTTPS = not LOCAL

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # load balancers use plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# W021 asks for HSTS preloading, which the owner of the domain decides, not one of its hosts.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_media = urlsplit(os.environ.get("MEDIA_URL", ""))
MEDIA_ORIGIN = [f"{_media.scheme}://{_media.netloc}"] if _media.netloc else []

# Scripts from our own files only, and no inline <style>. The middleware ContentSecurityPolicy adds
# what the admin theme needs.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        # The theme, Swagger UI and the browsable API use `style=` for layout.
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:", *MEDIA_ORIGIN],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
    }
}
