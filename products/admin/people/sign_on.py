"""The addresses of the sign-on with a company account."""

import logging
from typing import cast
from urllib.parse import urlencode

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from requests import RequestException

from products.access.sign_on import PROVIDER, VerifyingAdapter, refused

logger = logging.getLogger(__name__)
NO_ANSWER = gettext_lazy(
    "The company account can't be reached just now. Please try again in a few minutes."
)


@never_cache
@require_safe
def login_view(request: HttpRequest) -> HttpResponse:
    """Lead to the page of the issuer."""
    return _answer(OAuth2LoginView, request)


@never_cache
@require_safe
def callback_view(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Log in the person whom the issuer sends back."""
    if provider_id != PROVIDER:
        raise Http404
    return _answer(OAuth2CallbackView, request)


@require_safe
def confirm_view(request: HttpRequest) -> HttpResponse:
    """Let somebody without a password here log in again, at the issuer, to confirm who it is."""
    parameters = {"auth_params": "prompt=login", "next": request.GET.get("next", "")}
    return HttpResponseRedirect(f"{reverse('company_login')}?{urlencode(parameters)}")


@require_safe
def cancelled_view(request: HttpRequest) -> HttpResponse:
    """Return to the login page when the person has cancelled."""
    return HttpResponseRedirect(reverse("admin:login"))


def _answer(
    view: type[OAuth2LoginView] | type[OAuth2CallbackView], request: HttpRequest
) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        return HttpResponseRedirect(reverse("admin:login"))
    try:
        step = view.adapter_view(VerifyingAdapter(request, PROVIDER))
        return cast(HttpResponse, step(request))
    except (RequestException, KeyError) as fault:
        logger.warning("issuer not understood", extra={"fault": repr(fault)})
        answer: HttpResponse = refused(request, str(NO_ANSWER)).response
        return answer
