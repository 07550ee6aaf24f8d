"""Settings for login and sessions.

The code is in ``products.access.login_lockout``, ``products.access.sessions`` and
``products.admin.error_pages``.
"""

from datetime import timedelta

from bbws_products.settings.environment import number
from bbws_products.settings.headers import HTTPS

LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
# Lock out after LOGIN_FAILURES for one account and address, or LOGIN_FAILURES_PER_ADDRESS for one
# address in total, until the oldest failure is LOGIN_LOCK_MINUTES old. Failures count per address,
# so nobody can lock out somebody else. They are counted in SQL, so all processes share them.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: no password is checked during a lockout
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "products.access.login_lockout.LockoutHandler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT = int(number("LOGIN_FAILURES", 5))
LOGIN_FAILURES_PER_ADDRESS = int(number("LOGIN_FAILURES_PER_ADDRESS", 50))
AXES_COOLOFF_TIME = timedelta(minutes=number("LOGIN_LOCK_MINUTES", 15))
# Attempts during a lockout do not extend it, so the time shown to the user stays correct.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "products.access.login_lockout.client_address"
AXES_LOCKOUT_CALLABLE = "products.access.login_lockout.lockout_response"
# Kept out of the log, because people sometimes type their password there.
AXES_SENSITIVE_PARAMETERS = ["username", "code", "credential"]
# Django's last_login records logins; the table of axes would only grow.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Sessions end SESSION_HOURS after login, or after SESSION_IDLE_HOURS without a request.
SESSION_ENGINE = "products.access.sessions"
SESSION_COOKIE_AGE = int(number("SESSION_HOURS", 12) * 3600)
SESSION_IDLE_SECONDS = int(number("SESSION_IDLE_HOURS", 2) * 3600)
# __Host- makes browsers refuse the cookie from a sibling domain or over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
# Scripts read the CSRF token from the form, because the cookie's name varies.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Strict would log out users who follow a link from a mail.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "products.admin.error_pages.csrf_failure"
# Messages can contain a new API token, which must not be stored in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
