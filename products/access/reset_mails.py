"""E-mails with links for new passwords, which are sent after the answer.

A mail server takes a while. An answer that waits for it would say by its time whether there is an
account.
"""

import logging
import smtplib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)
SENDING = ThreadPoolExecutor(1, "mail")


class ResetForm(PasswordResetForm):
    """Write the e-mail in the request, and let another thread send it."""

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        """Send the link to the address of the account."""
        subject = "".join(render_to_string(subject_template_name, context).splitlines())
        body = render_to_string(email_template_name, context)
        SENDING.submit(_send, EmailMessage(subject, body, from_email, [to_email]))


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as fault:
        logger.warning("link not sent", extra={"fault": repr(fault)})


def finish_sending() -> None:
    """Wait until all e-mails are sent."""
    SENDING.submit(lambda: None).result()
