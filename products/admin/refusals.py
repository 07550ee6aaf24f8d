"""Answers to refused requests: a page, or a status and a sentence for the page's script."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from products.admin.base import ModelAdmin
from products.admin.error_pages import Link, error_page
from products.admin.sentences.finding import refusal_text, sentences_in_words
from products.errors import CatalogueError, Invalid, NotAllowed, NotFound, Unavailable

RETRY_AFTER_SECONDS = 5
STATUS_BY_ERROR = {
    Invalid: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(refusal: CatalogueError) -> int:
    """Return the HTTP status of a refusal; everything without an entry is a conflict."""
    for error, status in STATUS_BY_ERROR.items():
        if isinstance(refusal, error):
            return status
    return HTTPStatus.CONFLICT


def sentence_of(refusal: CatalogueError, field: str) -> str:
    """Return what is wrong with the field, or with the request as a whole."""
    if isinstance(refusal, Invalid) and field in refusal.errors:
        return " ".join(sentences_in_words(refusal.errors[field]))
    return refusal_text(refusal)


def show_refusal(model_admin: ModelAdmin, request: HttpRequest, refusal: CatalogueError) -> None:
    """Show the refusal as a message on the user's next page.

    A missing permission has a page of its own, so NotAllowed is raised again.
    """
    if isinstance(refusal, NotAllowed):
        raise refusal
    model_admin.message_user(request, refusal_text(refusal), messages.ERROR)


def with_refusal_pages[Admin: ModelAdmin, **P, R: HttpResponseBase](
    view: Callable[Concatenate[Admin, HttpRequest, P], R],
) -> Callable[Concatenate[Admin, HttpRequest, P], R | HttpResponse]:
    """Make the view answer 503 while the catalogue is unavailable, and 403 to NotAllowed.

    A template response is rendered here, because its lazy reads can fail too.
    """

    @wraps(view)
    def guarded(
        self: Admin, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> R | HttpResponse:
        try:
            response = view(self, request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response
        except NotAllowed as refusal:
            raise PermissionDenied(refusal_text(refusal)) from refusal
        except Unavailable as refusal:
            return _render_unavailable(request, refusal)

    return guarded


def _render_unavailable(request: HttpRequest, refusal: Unavailable) -> HttpResponse:
    """Answer with a page that can be reloaded."""
    sentence = gettext("{fault} Nothing is lost. Please try again in a few seconds.")
    sentence = sentence.format(fault=refusal_text(refusal))
    again = Link(request.get_full_path(), gettext("Try again"))
    title, status = gettext("The catalogue can't be reached"), HTTPStatus.SERVICE_UNAVAILABLE
    response = error_page(request, status, title, sentence, again)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
