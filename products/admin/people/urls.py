"""The addresses of the pages for logging in and for the own account, below ``/admin/``.

django-allauth reverses the names that begin with ``account_``, ``mfa_`` and ``openid_``.
"""

from django.contrib import admin
from django.urls import path, reverse_lazy
from django.views.generic import RedirectView

from products.admin.people import login, passwords, security, sign_on

protected = admin.site.admin_view
to_security = RedirectView.as_view(url=reverse_lazy("mfa_index"))

ENTRANCE = [
    path("login/", login.StaffLogin.as_view(), name="account_login"),
    path("login/second-step/", login.SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-on/", sign_on.login_view, name="company_login"),
    path("sign-on/cancelled/", sign_on.cancelled_view, name="socialaccount_login_cancelled"),
    path(
        "sign-on/<slug:provider_id>/callback/",
        sign_on.callback_view,
        name="openid_connect_callback",
    ),
    path(
        "forgotten-password/",
        passwords.ForgottenPassword.as_view(),
        name="admin_password_reset",
    ),
    path(
        "new-password/<uidb64>/<token>/",
        passwords.NewPassword.as_view(),
        name="password_reset_confirm",
    ),
    path("invitation/<str:token>/", passwords.invitation_view, name="invitation"),
]
OWN_ACCOUNT = [
    path("security/", protected(security.Security.as_view()), name="mfa_index"),
    path("security/app/", protected(security.AddApp.as_view()), name="mfa_activate_totp"),
    path(
        "security/app/remove/",
        protected(security.RemoveApp.as_view()),
        name="mfa_deactivate_totp",
    ),
    path("security/passkeys/", protected(to_security), name="mfa_list_webauthn"),
    path(
        "security/passkeys/add/",
        protected(security.AddPasskey.as_view()),
        name="mfa_add_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>/remove/",
        protected(security.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path(
        "security/codes/",
        protected(security.RecoveryCodes.as_view()),
        name="mfa_view_recovery_codes",
    ),
    path(
        "security/codes/new/",
        protected(security.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path("security/sessions/", protected(security.end_sessions_view), name="end_sessions"),
    path(
        "confirm/",
        protected(security.ConfirmByPassword.as_view()),
        name="account_reauthenticate",
    ),
    path("confirm/company/", protected(sign_on.confirm_view), name="confirm_company"),
    path("confirm/code/", protected(security.ConfirmByCode.as_view()), name="mfa_reauthenticate"),
    path(
        "confirm/passkey/",
        protected(security.ConfirmByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
]
urlpatterns = [*ENTRANCE, *OWN_ACCOUNT]
