"""A product's history: its versions, and bringing it back."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from products.admin.away import page_or_away
from products.admin.base import ModelAdmin, origin_of
from products.admin.recent import remember
from products.admin.texts import HISTORY_MOST, history_row
from products.bootstrap import catalogue
from products.changes import ProductNotFound
from products.product import CatalogueError, Invalid


class ProductHistory(ModelAdmin):
    @page_or_away
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        given = request.GET.get("before", "")
        before = int(given) if given.isascii() and given.isdigit() and len(given) <= 12 else None
        try:
            changes = catalogue().history(unquote(object_id), before=before, limit=HISTORY_MOST)
        except (ProductNotFound, Invalid):
            changes = []
        older = changes[-1].version if len(changes) == HISTORY_MOST and changes[-1].version > 1 else None
        context = {"changes": [history_row(change) for change in changes], "older": older, **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def get_urls(self) -> list[Any]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        return [path("<path:object_id>/restore/", restore, name="products_product_restore"), *super().get_urls()]

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            accepted = catalogue().restore(unquote(object_id), origin_of(request))
            remember(request, accepted.product.product_id)
            how = f"was restored as v{accepted.product.version}" if accepted.change else "is active already"
            self.message_user(request, f"{accepted.product.name} {how}.")
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:products_product_change", args=[quote(unquote(object_id))]))
