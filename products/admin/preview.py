"""The live preview: the product's card as customers will see it, and what a save would refuse."""

from typing import cast

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from products.admin.base import Context, ModelAdmin, origin_of
from products.admin.form import ProductForm
from products.bootstrap import acceptance, image_url
from products.currency import money
from products.errors import CatalogueError
from products.models import Product as ProductModel
from products.product import Product


def card_context(product: Product) -> Context:
    """Return what the customer portal shows of a product."""
    renewal = product.renewal_price
    return {
        "card": product,
        "card_image": image_url(product.image),
        "card_price": money(product.price, product.currency),
        "card_renewal": money(renewal, product.currency) if renewal is not None else "",
        "card_period": product.shown_period,
    }


class ProductPreview(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [
            path("add/preview/", view, name="products_product_add_preview"),
            path("<path:object_id>/preview/", view, name="products_product_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Dry-run the save: the same form and the same use case, and nothing is written."""
        if object_id:
            is_allowed = self.has_change_permission(request)
        else:
            is_allowed = self.has_add_permission(request)
        if not is_allowed:
            raise PermissionDenied
        product = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and product is None:
            return JsonResponse({"errors": {}}, status=404)
        form_class = self.get_form(request, product, change=product is not None)
        form = cast(ProductForm, form_class(request.POST, instance=product))
        body: dict[str, object] = {}
        if form.is_valid():
            try:
                body["html"] = self._card(request, form, product)
            except CatalogueError as refusal:
                form.add_refusal(refusal)
        body["errors"] = {name: list(map(str, texts)) for name, texts in form.errors.items()}
        return JsonResponse(body)

    def _card(self, request: HttpRequest, form: ProductForm, product: ProductModel | None) -> str:
        """Return the card of the product as the save would leave it."""
        entries, origin = form.cleaned_data, origin_of(request)
        if product:
            accepted = acceptance().update(
                product.product_id,
                form.edits,
                origin,
                base=entries["base_version"],
                dry_run=True,
            )
        else:
            product_id = entries.get("product_id") or None
            accepted = acceptance().create(product_id, form.edits, origin, dry_run=True)
        context = card_context(accepted.product)
        return render_to_string("admin/products/product/card.html", context, request)
