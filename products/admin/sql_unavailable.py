"""The page of the admin while the SQL database, with its users and sessions, is unavailable.

The page needs no SQL. It keeps what was typed, and sends it again when the user wants to.
"""

import logging
from http import HTTPStatus

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from products.admin.error_pages import is_script
from products.admin.recent_saves import recently_saved

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
SQL_FAULTS = (OperationalError, InterfaceError)
UNAVAILABLE = gettext_lazy("The user database does not answer at the moment, or takes no changes.")
NOT_SAVED = gettext_lazy(
    "The user database does not answer at the moment, or takes no changes. Nothing was saved."
)
SAVED = gettext_lazy(
    "The user database does not answer at the moment, or takes no changes. "
    "Your change was accepted before that, and is saved."
)
SECRET = "password"  # noqa: S105 # part of the names of fields that are never shown again


def sql_unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """Return the page for a fault of SQL; None for any other error.

    A write that the catalogue has accepted by then is reported as accepted.
    """
    if not isinstance(error, SQL_FAULTS):
        return None
    logger.error("could not serve", extra={"fault": repr(error)})
    if request.session.modified and recently_saved(request):
        return _page(request, HTTPStatus.OK, str(SAVED), keeps_entries=False)
    keeps_entries = request.method == "POST"
    sentence = str(NOT_SAVED if keeps_entries else UNAVAILABLE)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    response = _page(request, status, sentence, keeps_entries=keeps_entries)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _page(
    request: HttpRequest, status: HTTPStatus, sentence: str, *, keeps_entries: bool
) -> HttpResponse:
    if is_script(request):
        return JsonResponse({"message": sentence}, status=status)
    front = reverse("admin:index")
    request.user = AnonymousUser()  # the real one can't be read, and the frame asks for it
    context = {
        **admin.site.each_context(request),
        "title": gettext("Users can't be reached"),
        "sentence": sentence,
        "keeps_entries": keeps_entries,
        "entries": _entries(request) if keeps_entries else [],
        "lost_files": bool(request.FILES),
        "again": request.get_full_path() if keeps_entries or request.method == "GET" else front,
    }
    return render(request, "admin/sql_unavailable.html", context, status=status)


def _entries(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what the form of the request sent, except passwords."""
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if SECRET not in name
    ]
