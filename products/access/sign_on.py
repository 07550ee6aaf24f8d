"""Sign-on with a company account (OpenID Connect): who it logs in, and what is verified.

An account is never created here. The verified e-mail address must be that of one active member of
staff; from then on, the issuer's subject identifies the person.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Any

import jwt
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy

from products.bootstrap import jobs
from products.errors import Unavailable

PROVIDER = "company"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]
KEY_TIMEOUT_SECONDS = 3
YES = (True, "true")
"""The claim ``email_verified``. Some issuers send it as text."""
CLOCK_DIFFERENCE_SECONDS = 30
NOT_UNDERSTOOD = gettext_lazy("The company account could not be verified. Please try again.")
NOT_VERIFIED = gettext_lazy("Your company account has no verified e-mail address.")
NOT_INVITED = gettext_lazy(
    "There is no account for {email} here. Please ask somebody who manages users for an invitation."
)
NOT_THE_SAME = gettext_lazy(
    "The account with the address {email} belongs to another company account."
)
NOT_UNIQUE = gettext_lazy(
    "More than one account has the address {email}. Please ask somebody who manages users."
)


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # it has no types
    """Verify the signature of every identity token, and take nothing from unverified answers."""

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **answer: Any
    ) -> SocialLogin:
        claims = self._verified_claims(app, answer["response"].get("id_token"))
        if "email" not in claims:
            claims = {**self._matching_user_info(claims, token), **claims}
        provider = self.get_provider()
        return provider.sociallogin_from_response(request, {"id_token": claims})

    def _verified_claims(self, app: SocialApp, id_token: Any) -> dict[str, Any]:
        """Return the claims of the token. Raise OAuth2Error for one that is not meant for us."""
        config = self.openid_config
        if config["issuer"].rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("The issuer's configuration names another issuer.")
        try:
            keys = jwt.PyJWKClient(config["jwks_uri"], timeout=KEY_TIMEOUT_SECONDS)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                keys.get_signing_key_from_jwt(id_token).key,
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=config["issuer"],
                leeway=CLOCK_DIFFERENCE_SECONDS,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as fault:
            raise OAuth2Error(f"invalid identity token: {fault}") from fault
        return claims

    def _matching_user_info(self, claims: dict[str, Any], token: SocialToken) -> dict[str, Any]:
        """Return what the issuer says about the same person besides the token."""
        found: dict[str, Any] = self._fetch_user_info(token.token)
        if found.get("sub") != claims["sub"]:
            raise OAuth2Error("The user information is about another person.")
        return found


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # it has no types
    """Find the member of staff, and give the groups that the issuer names."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Connect the company account with its user. Refuse everybody else."""
        sociallogin.state["process"] = "login"
        claims = sociallogin.account.extra_data["id_token"]
        if not sociallogin.is_existing:
            user = _user_with(request, sociallogin.email_addresses)
            known = SocialAccount.objects.filter(user=user, provider=PROVIDER)
            if known.exists():
                raise refused(request, NOT_THE_SAME.format(email=user.email))
            sociallogin.connect(request, user)
        if not sociallogin.user.is_active or not sociallogin.user.is_staff:
            raise refused(request, NOT_INVITED.format(email=claims.get("email") or gettext("you")))
        set_mapped_groups(sociallogin.user, claims.get(settings.OIDC_GROUPS_CLAIM))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: str | None = None, **_: object
    ) -> None:
        """Show a page that says so, unless the person has cancelled."""
        if error != AuthError.CANCELLED:
            raise refused(request, str(NOT_UNDERSTOOD))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False


def _user_with(request: HttpRequest, addresses: list[EmailAddress]) -> User:
    """Return the one active member of staff with the verified address."""
    verified = [address.email for address in addresses if address.verified in YES]
    if not verified:
        raise refused(request, str(NOT_VERIFIED))
    email = verified[0]
    similar = User.objects.filter(email__iexact=email, is_active=True, is_staff=True)
    found = [user for user in similar if is_same_address(user.email, email)]
    if not found:
        raise refused(request, NOT_INVITED.format(email=email))
    if len(found) > 1:
        raise refused(request, NOT_UNIQUE.format(email=email))
    return found[0]


def is_same_address(one: str, other: str) -> bool:
    """Return whether both are one e-mail address. Case matters for letters that are not ASCII.

    PostgreSQL finds "mike@x" for "m\u0131ke@x" with a dotless i, which is somebody else's.
    """
    is_ascii = one.isascii() and other.isascii()
    return one == other or (is_ascii and one.lower() == other.lower())


def set_mapped_groups(user: User, claimed: Any) -> None:
    """Give the user the groups that the claim is mapped to, and take the other mapped ones.

    Groups that OIDC_GROUPS does not name are given by people, and stay.
    """
    mapping: dict[str, str] = settings.OIDC_GROUPS
    if not mapping:
        return
    names = claimed if isinstance(claimed, list) else []
    wanted = {mapping[name] for name in names if isinstance(name, str) and name in mapping}
    user.groups.remove(*Group.objects.filter(name__in=set(mapping.values()) - wanted))
    user.groups.add(*Group.objects.filter(name__in=wanted))
    with suppress(Unavailable):  # a worker with the SQL database sees it at its next step
        jobs().stop_unauthorised()


def refused(request: HttpRequest, sentence: str) -> ImmediateHttpResponse:
    """Return the error whose response is a page that says why nobody is logged in."""
    context = {"title": gettext("Not logged in"), "sentence": sentence}
    page: HttpResponse = render(
        request, "admin/people/sign_on_refused.html", context, status=HTTPStatus.FORBIDDEN
    )
    return ImmediateHttpResponse(page)
