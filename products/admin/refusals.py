"""What a person sees who is refused: pages in the admin's look, with a way on; and what a page's own script is told."""

from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from products.errors import CatalogueError, Invalid, NotFound, Unavailable

MAY_NOT = "Your account has no permission for this. If it should have, please ask a superuser to put you into a group."
STALE = (
    "This page was too old, perhaps because you have logged in anew since it was opened. Nothing was saved. "
    "Please go back, copy what you typed, and load that page anew."
)

STATUS_OF = {
    Invalid: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(refusal: CatalogueError) -> int:
    """By what the caller must do; whatever else is refused is a conflict."""
    return next(
        (status for kind, status in STATUS_OF.items() if isinstance(refusal, kind)),
        HTTPStatus.CONFLICT,
    )


def sentence_of(refusal: CatalogueError, field: str) -> str:
    """What is wrong with the one field that was sent, or with the whole."""
    return (
        " ".join(refusal.errors.get(field, [str(refusal)]))
        if isinstance(refusal, Invalid)
        else str(refusal)
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "You may not do this", MAY_NOT)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid CSRF token."""
    return _page(request, "Not saved", STALE)


def _page(request: HttpRequest, title: str, sentence: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "sentence": sentence}
    return render(request, "admin/refused.html", context, status=403)
