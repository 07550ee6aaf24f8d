"""What saving would do, while somebody types: the card as customers will see it, and what would be refused."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import path
from django.views.decorators.http import require_POST

from products.admin.base import ModelAdmin, origin_of
from products.bootstrap import catalogue, image_url
from products.currency import money
from products.errors import CatalogueError
from products.product import Product


def card_context(product: Product) -> dict[str, Any]:
    """What the customer portal shows of a product."""
    renewal = product.renewal_price
    return {
        "card": product,
        "card_image": image_url(product.image),
        "card_price": money(product.price, product.currency),
        "card_renewal": money(renewal, product.currency) if renewal is not None else "",
        "card_period": product.shown_period,
    }


class ProductPreview(ModelAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [
            path("add/preview/", view, name="products_product_add_preview"),
            path("<path:object_id>/preview/", view, name="products_product_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """A dry run of the save: the same form, the same use-case, nothing written."""
        allowed = (
            self.has_change_permission(request) if object_id else self.has_add_permission(request)
        )
        if not allowed:
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and obj is None:
            return JsonResponse({"errors": {}}, status=404)
        form: Any = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        body: dict[str, Any] = {}
        if form.is_valid():
            try:
                body["html"] = self._card(request, form, obj)
            except CatalogueError as refusal:
                form.show(refusal)
        return JsonResponse(
            body | {"errors": {name: list(map(str, texts)) for name, texts in form.errors.items()}}
        )

    def _card(self, request: HttpRequest, form: Any, obj: Any) -> str:
        given, origin = form.cleaned_data, origin_of(request)
        if obj:
            base = given["base_version"]
            would = catalogue().update(obj.product_id, form.edits, origin, base=base, dry_run=True)
        else:
            would = catalogue().create(
                given.get("product_id") or None, form.edits, origin, dry_run=True
            )
        return render_to_string(
            "admin/products/product/card.html", card_context(would.product), request
        )
