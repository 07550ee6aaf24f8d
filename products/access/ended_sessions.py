"""Answer a script whose session has ended with 401, so that the page can ask for the password.

Django redirects to the login page, which a script would take for its answer.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

SESSION_ENDED = gettext_lazy("Your session has ended. Please log in again; what you typed is kept.")
LOGIN_SCHEME = 'Form realm="admin"'
"""RFC 9110 wants a scheme in each 401. Browsers ask nobody for a password because of this one."""


class EndedSessionMiddleware:
    """Replace the redirect of a script's request to the login page with 401."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_script = request.headers.get("Sec-Fetch-Dest") == "empty"
        if is_script and isinstance(response, HttpResponseRedirect):
            login = reverse("admin:login")
            if response.url.startswith(f"{login}?"):
                body = {"message": str(SESSION_ENDED)}
                headers = {"WWW-Authenticate": LOGIN_SCHEME}
                return JsonResponse(body, status=HTTPStatus.UNAUTHORIZED, headers=headers)
        return response


@require_safe
def session_view(request: HttpRequest) -> JsonResponse:
    """Return who is signed in, and the CSRF token for the page's forms."""
    body = {"user": request.user.get_username(), "csrfToken": get_token(request)}
    return JsonResponse(body)
