"""One cell of the list, edited in place: the same use-case as the form, with the version that was on the screen."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from products.admin.base import ModelAdmin, origin_of
from products.admin.formatting import authors, label, shown
from products.admin.recent_saves import remember
from products.admin.refusals import sentence_of, status_of
from products.bootstrap import catalogue
from products.currency import money
from products.errors import CatalogueError
from products.merging import EditConflict
from products.writes import Accepted

READ: dict[str, Callable[[str], Any]] = {"price": str, "active": lambda text: text == "true"}


class ProductInlineEdit(ModelAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.cell_view))
        return [
            path("<path:object_id>/cell/", view, name="products_product_cell"),
            *super().get_urls(),
        ]

    def cell_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Save one value. A 409 of kind ``clash`` tells what somebody else made of it, and the version of that: sent
        again with this version, the value overwrites theirs. Any other 409 is only to be tried again."""
        field, text, base = (request.POST.get(name, "") for name in ("field", "value", "version"))
        if not self.has_change_permission(request) or (
            (field, text) == ("active", "false") and not self.has_delete_permission(request)
        ):
            raise PermissionDenied
        if field not in READ or not (base.isascii() and base.isdigit() and len(base) < 13):
            return JsonResponse({"message": "This cell can't be edited."}, status=400)
        try:
            edits = {field: READ[field](text)}
            accepted = catalogue().update(
                unquote(object_id), edits, origin_of(request), base=int(base)
            )
        except CatalogueError as refusal:
            return _refused(refusal, field)
        remember(request, accepted.product.product_id)
        return JsonResponse(_saved(accepted, field))


def _saved(accepted: Accepted, field: str) -> dict[str, Any]:
    product, change = accepted.product, accepted.change
    body: dict[str, Any] = {
        "version": product.version,
        "price": {"value": f"{product.price:.2f}", "text": money(product.price, product.currency)},
        "active": {
            "value": str(product.active).lower(),
            "text": "Active" if product.active else "Deactivated",
        },
        "period": product.shown_period,
        "by": product.updated_by,
        "message": f"{product.name}: nothing was different.",
    }
    if change and change.before:
        args = [quote(product.product_id), product.version]
        before, after = (shown(getattr(p, field)) for p in (change.before, product))
        body |= {
            "message": f"{product.name}: {label(field).lower()} {before} → {after}, saved as v{product.version}.",
            "receipt": reverse("admin:products_product_receipt", args=args),
            "undo": reverse("admin:products_product_undo", args=args),
            "status": change.status,
        }
    return body


def _refused(refusal: CatalogueError, field: str) -> JsonResponse:
    if isinstance(refusal, EditConflict):
        clash = refusal.clashes[field]
        who, theirs = authors(refusal)[field], shown(clash.theirs)
        said = f"{who} changed this to {theirs}."
        body = {
            "kind": "clash",
            "message": said,
            "version": refusal.product.version,
            "theirs": theirs,
        }
        return JsonResponse(body, status=status_of(refusal))
    return JsonResponse({"message": sentence_of(refusal, field)}, status=status_of(refusal))
