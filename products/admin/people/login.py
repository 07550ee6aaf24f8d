"""The login page: password or company account. A second factor is asked for afterwards."""

from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm

from products.admin.people.pages import AdminPage

WRONG = gettext_lazy("Wrong username or password.")


class StaffAuthenticationForm(AuthenticationForm):  # type: ignore[misc] # it has no types
    """Names and passwords of staff, with one sentence for every kind of wrong answer."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}


@method_decorator(never_cache, name="dispatch")
class StaffLogin(AdminPage, LoginView):
    """Check the password, and go on with the next step of the login."""

    title = gettext_lazy("Log in")
    template_name = "admin/people/login.html"
    authentication_form = StaffAuthenticationForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if admin.site.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = cast(User, form.get_user())
        login = Login(user=user, redirect_url=self.get_success_url())
        credentials = {"username": user.get_username()}
        return cast(HttpResponse, perform_password_login(self.request, credentials, login))

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        target = urlencode({self.redirect_field_name: self.get_success_url()})
        address = f"{reverse('company_login')}?{target}" if settings.OIDC_ISSUER else ""
        sign_on = {"sign_on_url": address, "sign_on_name": settings.OIDC_NAME}
        return {**super().get_context_data(**context), **sign_on}


class SecondStep(AdminPage, AuthenticateView):  # type: ignore[misc] # it has no types
    """Ask for a code or a passkey after the password."""

    title = gettext_lazy("Second step")
    template_name = "admin/people/second_step.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**context)
        options = found["js_data"]["request_options"]["publicKey"]
        return {**found, "has_passkey": bool(options.get("allowCredentials"))}
