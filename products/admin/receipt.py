"""The receipt beside the form: how far the newest version has come, who made it, and what to do about it."""

from typing import Any

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from products.admin.base import ModelAdmin
from products.admin.formatting import label
from products.admin.refusals import status_of
from products.bootstrap import catalogue
from products.changes import Change
from products.documents import format_timestamp
from products.errors import CatalogueError
from products.merging import differences
from products.pipeline import effect_states

STEPS = {
    "stored": "Stored",
    "purged": "Purged from the CDN",
    "searchable": "Found by search",
    "audited": "Audited",
}


def receipt_context(change: Change) -> dict[str, Any]:
    """What the receipt shows of a change."""
    steps = [{"name": STEPS[effect], **state} for effect, state in effect_states(change).items()]
    return {
        "receipt": change,
        "steps": steps,
        "receipt_url": reverse(
            "admin:products_product_receipt", args=[quote(change.product_id), change.version]
        ),
        "undo_url": _undo_url(change),
    }


def undo_button(change: Change) -> SafeString:
    """Stands in the message after a save; the page it is shown on has the form."""
    url = _undo_url(change)
    mark = '<button type="submit" form="undo-form" formaction="{}" class="undo-now">Undo</button>'
    return format_html(mark, url) if url else SafeString()


def _undo_url(change: Change) -> str:
    if change.before is None:
        return ""  # what takes a creation back is the button that deactivates
    try:
        return reverse(
            "admin:products_product_undo", args=[quote(change.product_id), change.version]
        )
    except NoReverseMatch:
        return ""


def moved_on(change: Change) -> dict[str, Any] | None:
    """What others saved since this version; None while it is the newest."""
    newest = catalogue().newest(change.product_id)
    if newest.version <= change.version:
        return None
    fields = [label(name) for name in differences(change.after, newest)]
    return {
        "version": newest.version,
        "by": newest.updated_by,
        "at": format_timestamp(newest.updated_at),
        "fields": fields,
    }


class ProductReceipt(ModelAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.receipt_view))
        address = "<path:object_id>/receipt/<int:version>/"
        return [path(address, view, name="products_product_receipt"), *super().get_urls()]

    def receipt_view(self, request: HttpRequest, object_id: str, version: int) -> HttpResponse:
        """The receipt as it is now, for the page that shows it; and who saved something since."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            change = catalogue().receipt(unquote(object_id), version)
            newer = moved_on(change)
        except CatalogueError as refusal:
            return JsonResponse({"message": str(refusal)}, status=status_of(refusal))
        context = receipt_context(change) | {
            "may_change": self.has_change_permission(request) and newer is None
        }
        html = render_to_string("admin/products/product/receipt.html", context, request)
        going = bool(change.open) and change.status != "failed"
        return JsonResponse({"html": html, "status": change.status, "open": going, "newer": newer})
