"""Settings for people: second factors, sign-on with a company account, and e-mail.

The code is in ``products.access`` and ``products.admin.people``. django-allauth reads the settings
whose names begin with ``ACCOUNT_``, ``MFA_`` and ``SOCIALACCOUNT_``.
"""

import os
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from bbws_products.settings.base import ENVIRONMENT
from bbws_products.settings.environment import flag, number, required, text_list
from bbws_products.settings.headers import HTTPS, LOCAL

PEOPLE_APPS = [
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]
ACCOUNT_ADAPTER = "products.access.staff_login.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # only checked: nobody can sign up
ACCOUNT_EMAIL_VERIFICATION = "none"
# Wrong passwords and codes are counted in SQL; see ``security``. These limits are for one process.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/5m/key", "reauthenticate": "30/m/user"}

# A password or a second factor this old is asked for again before access is changed.
CONFIRM_AFTER = timedelta(minutes=number("CONFIRM_AFTER_MINUTES", 15))
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(CONFIRM_AFTER.total_seconds())
# Who must have a second factor: permissions such as products.operate_product, or "everybody".
SECOND_FACTOR_FOR = frozenset(text_list("SECOND_FACTOR_FOR"))
EVERYBODY = "everybody"
if odd := sorted(name for name in SECOND_FACTOR_FOR - {EVERYBODY} if name.count(".") != 1):
    raise ImproperlyConfigured(
        f"SECOND_FACTOR_FOR takes permissions such as auth.change_user, not {odd[0]!r}."
    )
# Secrets of authenticator apps are encrypted with SECRET_KEY. While it is replaced, these keys
# still decrypt, and sessions and links made with them stay valid.
SECRET_KEY_FALLBACKS = text_list("SECRET_KEY_FALLBACKS")
MFA_ADAPTER = "products.access.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "products.access.second_factor.CodeForm",
    "reauthenticate": "products.access.second_factor.ConfirmationCodeForm",
}
MFA_TOTP_ISSUER = f"BBWS products{'' if ENVIRONMENT == 'prod' else f' ({ENVIRONMENT})'}"
MFA_TOTP_TOLERANCE = 1  # clocks of telephones differ
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL

# Sign-on with OpenID Connect, if OIDC_ISSUER is set.
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = os.environ.get("OIDC_NAME", "company account")
OIDC_GROUPS_CLAIM = os.environ.get("OIDC_GROUPS_CLAIM", "")
OIDC_GROUPS = dict(entry.partition("=")[::2] for entry in text_list("OIDC_GROUPS"))
OIDC_VARIABLES = ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUPS_CLAIM", "OIDC_GROUPS")
if not OIDC_ISSUER and (useless := [name for name in OIDC_VARIABLES if os.environ.get(name)]):
    raise ImproperlyConfigured(f"{useless[0]} is set, but OIDC_ISSUER is not.")
if bool(OIDC_GROUPS_CLAIM) != bool(OIDC_GROUPS) or not all(OIDC_GROUPS.values()):
    raise ImproperlyConfigured(
        "OIDC_GROUPS_CLAIM and OIDC_GROUPS belong together: the claim with the groups of a person, "
        "and which group of ours each is, e.g. catalogue-team=Product editors."
    )
if OIDC_ISSUER and HTTPS and not OIDC_ISSUER.startswith("https://"):
    raise ImproperlyConfigured("OIDC_ISSUER must begin with https://.")
SOCIALACCOUNT_ADAPTER = "products.access.sign_on.SignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
# A link, because the policy for forms does not allow a redirect to another site.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS: dict[str, object] = {}
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "company",
                "name": OIDC_NAME,
                "client_id": required("OIDC_CLIENT_ID", "The issuer gives it to an application."),
                "secret": required("OIDC_CLIENT_SECRET", "The issuer gives it with the id."),
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
    }

# E-mail: by a server, or as files for one machine. Without either, links are shown to be copied.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(number("EMAIL_PORT", 587))
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", True)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 5
EMAIL_FILE_PATH = os.environ.get("EMAIL_DIR", "")
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    DEFAULT_FROM_EMAIL = required("EMAIL_FROM", "The sender of e-mails, e.g. products@example.com.")
    if bool(EMAIL_HOST_USER) != bool(EMAIL_HOST_PASSWORD):
        raise ImproperlyConfigured("EMAIL_HOST_USER and EMAIL_HOST_PASSWORD belong together.")
elif EMAIL_HOST_USER or EMAIL_HOST_PASSWORD:
    raise ImproperlyConfigured("EMAIL_HOST_USER is of no use without EMAIL_HOST.")
elif EMAIL_FILE_PATH:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    DEFAULT_FROM_EMAIL = DEFAULT_FROM_EMAIL or "products@localhost"
    if not LOCAL:
        raise ImproperlyConfigured("EMAIL_DIR is for one machine; set EMAIL_HOST.")
INVITATION_LIFETIME = timedelta(days=number("INVITATION_DAYS", 7))
PASSWORD_RESET_TIMEOUT = 3600

# Codes that were used and limits are shared by all processes. Only pages for logging in use this.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "products_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
