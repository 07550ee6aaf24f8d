"""The language of the admin: the profile's, else the one that the browser asks for.

Only addresses below ``/admin/`` are translated. The API answers in English, as its contract says.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

ADMIN_PREFIX = "/admin/"


def in_language(code: str) -> AbstractContextManager[None]:
    """Translate texts into this language within the block; change nothing without a code."""
    return translation.override(code) if code in dict(settings.LANGUAGES) else nullcontext()


class LanguageMiddleware:
    """Use the browser's language for pages that are shown before the profile is known.

    A cookie remembers what the profile said last. So the login page, and the page that is shown
    while the SQL database is unavailable, are in the user's language.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return self.get_response(request)


def remember_language(request: HttpRequest, response: HttpResponse, code: str) -> None:
    """Let the browser remember the profile's language, for pages without a session."""
    name = settings.LANGUAGE_COOKIE_NAME
    if request.COOKIES.get(name, "") == code:
        return
    if not code:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(
        name,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def texts_script() -> str:
    """Return the static file with the texts of the scripts in the current language."""
    language = translation.get_language()
    return "products/texts.js" if language in {None, "en-za"} else f"products/texts.{language}.js"
