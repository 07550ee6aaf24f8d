"""Checks of how staff log in: second factors, the issuer of accounts, the sender of e-mails."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from deploy.preflight.environment import Environment
from deploy.preflight.results import Client, Result

TIMEOUT_SECONDS = 10
SES_HOST = re.compile(r"email-smtp\.([a-z0-9-]+)\.amazonaws\.com")


def check_logins(environment: Environment, _: Client) -> Iterator[Result]:
    """Warn if nobody needs a second factor, or if nothing serves the log-in page."""
    people = environment.variables["people"]
    if not environment.containers:
        is_useless = bool(people["oidc"] or people["email"])
        advice = "Only containers have an admin: set enable_containers." if is_useless else ""
        yield Result("logins", "There is no admin.", advice, is_warning=True)
        return
    names = ", ".join(people["second_factor_for"])
    advice = "" if names else 'Set people.second_factor_for, e.g. to ["everybody"].'
    yield Result(
        "logins", f"A second factor is required for: {names or 'nobody'}.", advice, is_warning=True
    )


def check_issuer(environment: Environment, _: Client) -> Iterator[Result]:
    """Check that the issuer of company accounts answers under its own name."""
    oidc = environment.variables["people"]["oidc"]
    if not (oidc and environment.containers):
        return
    issuer = str(oidc["issuer"]).rstrip("/")
    way_back = f"https://{environment.containers['domain_name']}/admin/sign-on/company/callback/"
    try:
        named = _configuration(issuer).get("issuer", "")
    except (OSError, ValueError) as fault:
        yield Result(
            "sign-on", f"{issuer} does not answer: {fault}.", "Correct people.oidc.issuer."
        )
        return
    is_same = str(named).rstrip("/") == issuer
    found = f"{issuer} calls itself {named}; it must allow the address {way_back}."
    yield Result("sign-on", found, "" if is_same else f'Set people.oidc.issuer = "{named}".')


def _configuration(issuer: str) -> dict[str, Any]:
    # The issuer is the operator's own setting.
    address = f"{issuer}/.well-known/openid-configuration"
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return dict(json.loads(answer.read()))


def check_mail(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that Amazon SES sends for the sender's domain, and to anybody."""
    email = environment.variables["people"]["email"]
    if not (email and environment.containers):
        return
    host = SES_HOST.fullmatch(email["host"])
    if not host:
        yield Result("e-mail", f"{email['host']} is not Amazon's; it was not asked.")
        return
    ses, sender = client("sesv2", host[1]), str(email["from"])
    is_verified = any(_is_verified(ses, name) for name in (sender, sender.rpartition("@")[2]))
    yield Result(
        "sender of e-mails",
        f"{sender} is {'verified' if is_verified else 'not verified'} in SES.",
        "" if is_verified else f"Verify its domain in SES in {host[1]}.",
    )
    is_open = ses.get_account()["ProductionAccessEnabled"]
    advice = "" if is_open else "Request production access: mails reach verified addresses only."
    yield Result(
        "e-mail",
        f"SES is {'in production' if is_open else 'in its sandbox'}.",
        advice,
        is_warning=True,
    )


def _is_verified(ses: Any, identity: str) -> bool:
    try:
        return bool(ses.get_email_identity(EmailIdentity=identity)["VerifiedForSendingStatus"])
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "NotFoundException":
            raise
        return False
