"""Members of staff for the tests of logging in: passwords, codes of authenticator apps."""

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.test import Client

from products.access.sessions import STARTED

PASSWORD, LOGIN = "a-password-of-the-tests", "/admin/login/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, *, steps: int = 0) -> str:
    """Return the code that an app with this secret shows; ``steps`` later, each of 30 seconds."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))
    return shown


def add_app(user: User) -> list[str]:
    """Give the user an authenticator app. Return the recovery codes."""
    TOTP.activate(user, SECRET)
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def log_in(
    name: str, client: Client | None = None, *, password: str = PASSWORD, **fields: Any
) -> Any:
    """Send the login form; return the response, with its client."""
    return (client or Client()).post(LOGIN, {"username": name, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/admin/session/").status_code == 200)


def make_login_old(client: Client, minutes: float = 16) -> None:
    """Make the login, and all that was confirmed since, so many minutes old."""
    session = client.session
    session[STARTED] = time.time() - minutes * 60
    for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, ()):
        record["at"] -= minutes * 60
    session.save()
