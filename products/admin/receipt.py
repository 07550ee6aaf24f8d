"""The receipt in the sidebar: how far the newest version has come, who made it, and its undo."""

from typing import TypedDict

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from products.admin.base import Context, ModelAdmin, product_url
from products.admin.formatting import (
    CHANGE_STATES,
    EFFECT_NAMES,
    EFFECT_STATES,
    field_label,
    source_label,
)
from products.admin.refusals import status_of
from products.admin.sentences.finding import in_words, reason_in_words, refusal_text
from products.bootstrap import catalogue
from products.changes import Change
from products.documents import format_timestamp
from products.effects import effect_states
from products.errors import CatalogueError
from products.merging import differences


class NewerVersion(TypedDict):
    """The newest version as the script of an older form shows it."""

    version: int
    by: str
    at: str
    fields: list[str]


def receipt_context(change: Change) -> Context:
    """Return what the receipt shows of a change."""
    steps = [
        {
            **state,
            "name": str(EFFECT_NAMES[effect]),
            "state_text": str(EFFECT_STATES.get(state["state"], state["state"])),
            "error": in_words(state.get("error") or ""),
        }
        for effect, state in effect_states(change).items()
    ]
    return {
        "receipt": change,
        "state_text": str(CHANGE_STATES[change.status]),
        "reason": reason_in_words(change.origin.reason),
        "source": source_label(change.origin.source),
        "steps": steps,
        "receipt_url": product_url("receipt", change.product_id, change.version),
        "undo_url": undo_url(change),
    }


def undo_button(change: Change) -> SafeString:
    """Return the button in the message after a save. It belongs to a form of that page."""
    url = undo_url(change)
    if not url:
        return SafeString()
    return format_html(
        '<button type="submit" form="undo-form" formaction="{}" class="message-button">{}</button>',
        url,
        gettext("Undo"),
    )


def undo_url(change: Change) -> str:
    """Return the address that undoes the change, or nothing for a creation.

    A creation is undone by deactivating the product.
    """
    if change.before is None:
        return ""
    return product_url("undo", change.product_id, change.version)


def newer_version(change: Change) -> NewerVersion | None:
    """Return what others saved since this version; None while it is the newest."""
    newest = catalogue().newest(change.product_id)
    if newest.version <= change.version:
        return None
    return {
        "version": newest.version,
        "by": newest.updated_by,
        "at": format_timestamp(newest.updated_at),
        "fields": [field_label(name) for name in differences(change.after, newest)],
    }


def receipt_view(
    admin: ModelAdmin, request: HttpRequest, object_id: str, version: int
) -> HttpResponse:
    """Return the current receipt for the page's script, and what others saved since."""
    try:
        change = catalogue().receipt(unquote(object_id), version)
        newer = newer_version(change)
    except CatalogueError as refusal:
        return JsonResponse({"message": refusal_text(refusal)}, status=status_of(refusal))
    context = receipt_context(change)
    context["may_change"] = admin.has_change_permission(request) and newer is None
    html = render_to_string("admin/products/product/receipt.html", context, request)
    is_open = bool(change.open) and change.status != "failed"
    return JsonResponse({"html": html, "status": change.status, "open": is_open, "newer": newer})
