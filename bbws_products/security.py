"""The settings that keep the screen safe: signing in, sessions, and what a browser may do with our pages.

Behind them: ``signing_in`` and ``refused`` in ``products.admin``; ``sessions`` and ``pages`` beside this module.
"""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_INLINE

from bbws_products.environment import flag, number

LOCAL = flag("LOCAL", False)  # on one machine only: plain HTTP, and static files straight from the apps
HTTPS = not LOCAL

LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
# Signing in: so many wrong passwords for one account from one address, and from one address whatever the account, lock
# until the oldest of them is LOGIN_LOCK_MINUTES old. Nobody can lock somebody else out from elsewhere. The count is
# in SQL, so it is one for all processes.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: whoever is locked is not even checked
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "products.admin.signing_in.FailureCount"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT = int(number("LOGIN_FAILURES", 5))
LOGIN_FAILURES_PER_ADDRESS = int(number("LOGIN_FAILURES_PER_ADDRESS", 50))
AXES_COOLOFF_TIME = timedelta(minutes=number("LOGIN_LOCK_MINUTES", 15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the time we tell stays true, however often somebody tries
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "products.admin.signing_in.address_of"
AXES_LOCKOUT_CALLABLE = "products.admin.signing_in.locked_page"
AXES_SENSITIVE_PARAMETERS = ["username"]  # kept out of the log: people type their password there by mistake
AXES_DISABLE_ACCESS_LOG = True  # who signed in when is Django's own last_login; a second table would only grow
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Sessions end SESSION_HOURS after signing in, and after SESSION_IDLE_HOURS without a sign of life.
SESSION_ENGINE = "bbws_products.sessions"
SESSION_COOKIE_AGE = int(number("SESSION_HOURS", 12) * 3600)
SESSION_IDLE_SECONDS = int(number("SESSION_IDLE_HOURS", 2) * 3600)
# __Host- makes browsers refuse the cookie from a sibling domain or over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # scripts take the token from the form, as the name varies
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict would sign out whoever follows a link from a mail
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "products.admin.refused.stale"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a new API token never is in a cookie

# HTTPS and headers
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # load balancers ask over plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # preloading is up to the domain's owner, not to one host in it
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
        "style-src-attr": [UNSAFE_INLINE],  # the theme, Swagger UI and the browsable API place things by `style=`
        "img-src": [SELF, "data:", *MEDIA_ORIGIN],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
    }
}
