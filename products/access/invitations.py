"""Invitations: an account without a password, and a signed link that sets the first one.

A link is valid for INVITATION_LIFETIME and until the password is set. A new invitation replaces
the links of earlier ones.
"""

import logging
import smtplib
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

logger = logging.getLogger(__name__)
SALT = "products.access.invitations"
FINGERPRINT_LENGTH = 20
DUMMY = "django.core.mail.backends.dummy.EmailBackend"


def can_send_mail() -> bool:
    """Return whether e-mails go anywhere."""
    return str(settings.EMAIL_BACKEND) != DUMMY


def create_invited_user(email: str, first: str, last: str, groups: Iterable[Group]) -> User:
    """Create the account of a member of staff, who can't log in yet. Its name is the address."""
    user = User(username=email, email=email, first_name=first, last_name=last, is_staff=True)
    user.set_unusable_password()
    user.save()
    user.groups.set(groups)
    return user


def is_invited(user: User) -> bool:
    """Return whether the user was invited and has neither set a password nor logged in."""
    return user.is_active and user.last_login is None and not user.has_usable_password()


def invitation_token(user: User) -> str:
    """Return the secret part of the link. It replaces those made before."""
    user.set_unusable_password()  # a new random text, which the fingerprint contains
    user.save(update_fields=["password"])
    return signing.dumps([user.pk, _fingerprint(user)], salt=SALT)


def invited_user(token: str) -> User | None:
    """Return the user of a link that is valid; None for any other link."""
    try:
        pk, fingerprint = signing.loads(token, salt=SALT, max_age=settings.INVITATION_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or not is_invited(user) or fingerprint != _fingerprint(user):
        return None
    return user


def _fingerprint(user: User) -> str:
    return salted_hmac(SALT, f"{user.password} {user.email}").hexdigest()[:FINGERPRINT_LENGTH]


def send_invitation(user: User, link: str, invited_by: str) -> bool:
    """Send the link to the user. Return whether the mail server has taken it."""
    if not can_send_mail():
        return False
    days = settings.INVITATION_LIFETIME.days
    context = {"user": user, "link": link, "invited_by": invited_by, "days": days}
    text = render_to_string("admin/people/invitation_mail.txt", context)
    subject = gettext("Your account for the BBWS product catalogue")
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email])
    except (OSError, smtplib.SMTPException) as fault:
        logger.warning("invitation not sent", extra={"fault": repr(fault)})
        return False
    return True
