"""Error pages in the look of the admin, with the request id and a link back.

The API's own errors, and those of a page's script, stay JSON.
"""

from http import HTTPStatus
from typing import NamedTuple

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy


class Link(NamedTuple):
    """Where an error page leads to."""

    url: str
    text: str


PERMISSION_DENIED = gettext_lazy(
    "Your account has no permission for this. "
    "If it should have, please ask a superuser to add you to a group."
)
FORM_EXPIRED = gettext_lazy(
    "This page was too old, perhaps because you have logged in again since it was opened. "
    "Nothing was saved. Please go back, copy what you typed, and reload that page."
)
NOTHING_HERE = gettext_lazy(
    "There is no page at this address. It may have been mistyped, or the link is old."
)
NOT_UNDERSTOOD = gettext_lazy("The request can't be understood.")
OUR_FAULT = gettext_lazy(
    "This is our fault, and it has been logged. Nothing that was saved is lost."
)


class PageNotFound(Http404):
    """A page that does not exist any more. The message is a sentence for staff."""


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address without a page."""
    sentence = str(exception if isinstance(exception, PageNotFound) else NOTHING_HERE)
    return error_page(request, HTTPStatus.NOT_FOUND, gettext("Page not found"), sentence)


def bad_request(request: HttpRequest) -> HttpResponse:
    """Answer a request that Django refuses before any view."""
    title = gettext("Not understood")
    return _plain_page(request, HTTPStatus.BAD_REQUEST, title, str(NOT_UNDERSTOOD))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that the user's permissions do not allow (``handler403``)."""
    sentence = str(exception or "") if is_script(request) else ""
    title = gettext("You don't have permission to do this")
    return error_page(request, HTTPStatus.FORBIDDEN, title, sentence or str(PERMISSION_DENIED))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token."""
    return error_page(request, HTTPStatus.FORBIDDEN, gettext("Not saved"), str(FORM_EXPIRED))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed because of a bug."""
    title = gettext("Something went wrong")
    return _plain_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, title, str(OUR_FAULT))


def request_id_of(request: HttpRequest) -> str:
    """Return the id that the log has for this request."""
    return str(getattr(request, "request_id", ""))


def is_script(request: HttpRequest) -> bool:
    """Return whether a page's script made the request. Browsers send "empty" for those."""
    asks_for_json = "application/json" in request.headers.get("Accept", "")
    return asks_for_json or request.headers.get("Sec-Fetch-Dest") == "empty"


def error_page(
    request: HttpRequest, status: HTTPStatus, title: str, sentence: str, link: Link | None = None
) -> HttpResponse:
    """Return a page with the menu for staff; a page without it for anybody else."""
    front_page = reverse("admin:index")
    if is_script(request) or not request.path.startswith(front_page):
        return _plain_page(request, status, title, sentence)
    context = {
        **admin.site.each_context(request),
        "title": title,
        "sentence": sentence,
        "link": link or Link(front_page, gettext("To the front page")),
        "request_id": request_id_of(request),
    }
    template = "error" if admin.site.has_permission(request) else "refusal"
    return render(request, f"admin/{template}.html", context, status=status)


def _plain_page(
    request: HttpRequest, status: HTTPStatus, title: str, sentence: str
) -> HttpResponse:
    """Return a page without the theme, for which a session and its own policy are needed.

    A script gets the sentence as JSON.
    """
    if is_script(request):
        return JsonResponse({"message": sentence}, status=status)
    context = {"title": title, "sentence": sentence, "request_id": request_id_of(request)}
    return HttpResponse(render_to_string("admin/plain_error.html", context), status=status)
