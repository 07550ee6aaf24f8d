"""A product's history: its versions, comparing two of them, and going back to one."""

from typing import TypedDict

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from products.admin.base import Context, ModelAdmin, product_url, version_parameter
from products.admin.formatting import (
    HISTORY_PAGE_SIZE,
    NOTHING_SAVED,
    FieldDifference,
    english_label,
    field_differences,
    field_label,
    last_authors,
)
from products.admin.refusals import show_refusal, status_of
from products.admin.sentences.finding import refusal_text
from products.admin.staff_writes import StaffWrites
from products.admin.timeline import TimelineRenderer
from products.bootstrap import catalogue
from products.changes import Change
from products.errors import CatalogueError, Invalid, NotAllowed, NotFound, ProductNotFound
from products.merging import EditConflict, VersionMismatch
from products.product import RULES, Product


class Comparison(TypedDict):
    """Two versions: the fields that differ, and the labels of those that are the same."""

    older: int
    newer: int
    newest: int
    fields: list[FieldDifference]
    same: list[str]


def history_view(admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show one page of the versions, and the comparison of two when they are chosen."""
    product_id = unquote(object_id)
    changes = _history_page(product_id, version_parameter(request, "before"))
    newest = admin.get_object(request, product_id)
    newest_version = newest.version if newest else 0
    may_change = admin.has_change_permission(request)
    timeline = TimelineRenderer(product_id, newest_version, may_change)
    context: Context = {
        "entries": timeline.render(changes),
        "older": _next_page_version(changes),
        "comparison": _comparison(request, product_id),
        "may_change": may_change,
        "newest": newest_version,
    }
    return admin.history_view(request, object_id, context)


def restore_view(admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Make a deactivated product active again."""
    product_id = unquote(object_id)
    try:
        accepted = StaffWrites(request).restore(product_id)
        product = accepted.product
        done = gettext("{product} was restored, saved as version {version}.")
        text = done if accepted.change else gettext("{product} is active already.")
        said = text.format(product=product.name, version=product.version)
        admin.message_user(request, said)
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    return HttpResponseRedirect(product_url("change", product_id))


def restore_version_view(
    admin: ModelAdmin, request: HttpRequest, object_id: str, version: int
) -> HttpResponse:
    """Restore one field, or the whole product, from a version.

    ``seen`` is the newest version that the user saw; a newer one is reported first.
    """
    product_id = unquote(object_id)
    field = request.POST.get("field", "")
    if field and field not in RULES:
        raise PermissionDenied
    default_reason = f"{english_label(field) or 'Everything'} restored from version {version}"
    try:
        accepted = StaffWrites(request).restore_version(
            product_id,
            version,
            fields=(field,) if field else tuple(RULES),
            expected_version=version_parameter(request, "seen"),
            reason=request.POST.get("reason", "") or default_reason,
        )
        message = str(NOTHING_SAVED)
        if accepted.change:
            message = _restored_text(field, version, accepted.product.version)
        admin.message_user(request, message)
    except VersionMismatch as conflict:
        newest = conflict.product
        text = gettext("{actor} saved version {version} meanwhile; look at it first.")
        said = text.format(actor=newest.updated_by, version=newest.version)
        admin.message_user(request, said, messages.ERROR)
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    return HttpResponseRedirect(product_url("history", product_id))


def undo_view(
    admin: ModelAdmin, request: HttpRequest, object_id: str, version: int
) -> HttpResponse:
    """Undo what one version changed, and keep what was changed since.

    A script gets JSON. Anybody else gets a message on the page where the button was.
    """
    is_script = "application/json" in request.headers.get("Accept", "")
    status = 200
    try:
        accepted = StaffWrites(request).undo(unquote(object_id), version)
        message = str(NOTHING_SAVED)
        if accepted.change:
            text = gettext("Version {undone} is undone, saved as version {version}.")
            message = text.format(undone=version, version=accepted.product.version)
    except EditConflict as conflict:
        text = gettext("Version {version} can't be undone: {why}.")
        message = text.format(version=version, why=_later_authors(conflict))
        status = status_of(conflict)
    except CatalogueError as refusal:
        if isinstance(refusal, NotAllowed) and not is_script:
            raise
        message, status = refusal_text(refusal), status_of(refusal)
    if is_script:
        return JsonResponse({"message": message}, status=status)
    admin.message_user(request, message, messages.SUCCESS if status == 200 else messages.ERROR)
    changelist = reverse("admin:products_product_changelist")
    return HttpResponseRedirect(_return_url(request) or changelist)


def _history_page(product_id: str, before: int | None) -> list[Change]:
    try:
        return catalogue().history(product_id, before=before, limit=HISTORY_PAGE_SIZE)
    except (ProductNotFound, Invalid):
        return []


def _next_page_version(changes: list[Change]) -> int | None:
    """Return the version before which the next page begins; None on the last page."""
    if len(changes) < HISTORY_PAGE_SIZE:
        return None
    oldest = changes[-1].version
    return oldest if oldest > 1 else None


def _comparison(request: HttpRequest, product_id: str) -> Comparison | None:
    """Compare the two versions that were chosen; None without two versions that exist."""
    chosen = (version_parameter(request, "from"), version_parameter(request, "to"))
    versions = sorted(version for version in chosen if version is not None)
    if len(versions) < len(chosen):
        return None
    older, newer = versions
    try:
        before = catalogue().version(product_id, older)
        after = catalogue().version(product_id, newer)
        newest: Product = catalogue().newest(product_id)
    except (NotFound, Invalid):
        return None
    fields = field_differences(before, after)
    different = {field["name"] for field in fields}
    return {
        "older": older,
        "newer": newer,
        "newest": newest.version,
        "fields": fields,
        "same": [field_label(name) for name in RULES if name not in different],
    }


def _restored_text(field: str, version: int, saved: int) -> str:
    text = gettext("Everything is as in version {version} again, saved as version {saved}.")
    if field:
        text = gettext("{field} is as in version {version} again, saved as version {saved}.")
    return text.format(field=field_label(field), version=version, saved=saved)


def _later_authors(conflict: EditConflict) -> str:
    """Say who changed the fields later, such as "ben changed price since"."""
    authors = last_authors(conflict)
    text = gettext("{actor} changed {field} since")
    later = (text.format(actor=authors[name], field=field_label(name).lower()) for name in authors)
    return ", ".join(later)


def _return_url(request: HttpRequest) -> str:
    """Return the page to go back to, or nothing if it is not one of this site."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else ""
