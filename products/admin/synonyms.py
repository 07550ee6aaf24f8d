"""The page of words that mean the same to a search."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from products.admin.base import ModelAdmin, page_response, user_of, version_parameter
from products.admin.refusals import sentence_of, status_of
from products.admin.staff_writes import StaffWrites
from products.bootstrap import synonym_editing
from products.errors import Conflict, Invalid
from products.search.editing import MAX_AGE

MAX_VERSIONS = 20


def synonyms_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the synonyms with who saved them, and save edited ones."""
    refusal: Invalid | Conflict | None = None
    if request.method == "POST":
        try:
            StaffWrites(request).save_synonyms(
                request.POST.get("text", ""), based_on=version_parameter(request, "based_on") or 0
            )
        except (Invalid, Conflict) as error:
            refusal = error
        else:
            saved = gettext("Saved. Searches use it within {seconds} seconds.")
            messages.success(request, saved.format(seconds=MAX_AGE.seconds))
            return redirect("admin:products_product_synonyms")
    versions = synonym_editing().versions(MAX_VERSIONS)
    newest = versions[0]
    context = {
        "title": gettext("Search synonyms"),
        "newest": newest,
        "typed": request.POST.get("text", newest.text) if refusal else newest.text,
        "error": sentence_of(refusal, "text") if refusal else "",
        "has_conflict": isinstance(refusal, Conflict),
        "versions": versions,
        "can_save": user_of(request).has_perm("products.change_product"),
    }
    response = page_response(admin, request, "synonyms", context)
    response.status_code = status_of(refusal) if refusal else HTTPStatus.OK
    return response
