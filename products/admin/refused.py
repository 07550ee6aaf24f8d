"""What a person sees who is refused: pages in the admin's look, with a way on."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

MAY_NOT = "Your account has no permission for this. If it should have, please ask a superuser to put you into a group."
STALE = (
    "This page was too old, perhaps because you have logged in anew since it was opened. Nothing was saved. "
    "Please go back, copy what you typed, and load that page anew."
)


def may_not(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "You may not do this", MAY_NOT)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid CSRF token."""
    return _page(request, "Not saved", STALE)


def _page(request: HttpRequest, title: str, sentence: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "sentence": sentence}
    return render(request, "admin/refused.html", context, status=403)
