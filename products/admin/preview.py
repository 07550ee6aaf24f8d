"""The live preview: the product's card as customers will see it, and what a save would refuse."""

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from products.admin.base import Context, ModelAdmin
from products.admin.form import ProductForm
from products.admin.refusals import status_of
from products.admin.sentences.finding import refusal_text
from products.admin.staff_writes import StaffWrites
from products.bootstrap import image_url
from products.currency import money
from products.errors import CatalogueError
from products.product import Product


def card_context(product: Product) -> Context:
    """Return what the customer portal shows of a product."""
    renewal = product.renewal_price
    # The derived text would only repeat the renewal price.
    period = product.period or ("" if renewal is not None else product.shown_period)
    return {
        "card": product,
        "card_image": image_url(product.image),
        "card_price": money(product.price, product.currency),
        "card_renewal": money(renewal, product.currency) if renewal is not None else "",
        "card_period": period,
    }


def preview_view(
    admin: ModelAdmin, request: HttpRequest, object_id: str | None = None
) -> HttpResponse:
    """Dry-run the save: the same form and the same use case, and nothing is written."""
    product_id = unquote(object_id) if object_id else None
    form = ProductForm(
        request.POST, writes=StaffWrites(request), product_id=product_id, dry_run=True
    )
    try:
        errors = {name: list(map(str, texts)) for name, texts in form.errors.items()}
    except CatalogueError as refusal:
        return JsonResponse({"message": refusal_text(refusal)}, status=status_of(refusal))
    body: dict[str, object] = {"errors": errors, "understood": form.understood}
    if form.accepted:
        context = card_context(form.accepted.product)
        body["html"] = render_to_string("admin/products/product/card.html", context, request)
    return JsonResponse(body)
