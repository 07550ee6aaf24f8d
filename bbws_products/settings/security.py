"""The settings that keep the screen safe: signing in and sessions.

Behind them: ``signing_in`` and ``refused`` in ``products.admin``, ``sessions`` beside this module.
"""

from datetime import timedelta

from bbws_products.settings.environment import number
from bbws_products.settings.headers import HTTPS

LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
# Signing in: so many wrong passwords for one account from one address, and from one address whatever the account, lock
# until the oldest of them is LOGIN_LOCK_MINUTES old. Nobody can lock somebody else out from elsewhere. The count is
# in SQL, so it is one for all processes.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: whoever is locked is not even checked
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "products.access.login_lockout.LockoutHandler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT = int(number("LOGIN_FAILURES", 5))
LOGIN_FAILURES_PER_ADDRESS = int(number("LOGIN_FAILURES_PER_ADDRESS", 50))
AXES_COOLOFF_TIME = timedelta(minutes=number("LOGIN_LOCK_MINUTES", 15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = (
    False  # the time we tell stays true, however often somebody tries
)
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "products.access.login_lockout.client_address"
AXES_LOCKOUT_CALLABLE = "products.access.login_lockout.lockout_response"
AXES_SENSITIVE_PARAMETERS = [
    "username"
]  # kept out of the log: people type their password there by mistake
AXES_DISABLE_ACCESS_LOG = (
    True  # who signed in when is Django's own last_login; a second table would only grow
)
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Sessions end SESSION_HOURS after signing in, and after SESSION_IDLE_HOURS without a sign of life.
SESSION_ENGINE = "products.access.sessions"
SESSION_COOKIE_AGE = int(number("SESSION_HOURS", 12) * 3600)
SESSION_IDLE_SECONDS = int(number("SESSION_IDLE_HOURS", 2) * 3600)
# __Host- makes browsers refuse the cookie from a sibling domain or over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = (
    True  # scripts take the token from the form, as the name varies
)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = (
    "Lax"  # Strict would sign out whoever follows a link from a mail
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "products.admin.refusals.csrf_failure"
MESSAGE_STORAGE = (
    "django.contrib.messages.storage.session.SessionStorage"  # a new API token never is in a cookie
)
