"""A product's history: its versions, and bringing it back."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from products.admin.away import page_or_away
from products.admin.base import ModelAdmin, origin_of
from products.admin.recent import remember
from products.admin.texts import HISTORY_MOST, authors, history_row, label
from products.bootstrap import catalogue
from products.changes import EditConflict, ProductNotFound
from products.product import CatalogueError, Invalid, Missing


def _changed_since(conflict: EditConflict) -> str:
    who = authors(conflict)
    return ", ".join(f"{who[name]} changed {label(name).lower()} since" for name in conflict.clashes)


def _local(request: HttpRequest) -> str:
    """The page to go back to, where it is one of ours."""
    target = request.POST.get("next", "")
    return target if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()) else ""


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
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [
            path("<path:object_id>/restore/", restore, name="products_product_restore"),
            path("<path:object_id>/undo/<int:version>/", undo, name="products_product_undo"),
            *super().get_urls(),
        ]

    def undo_view(self, request: HttpRequest, object_id: str, version: int) -> HttpResponse:
        """Take back what one version changed, and keep what was changed since."""
        product_id = unquote(object_id)
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            change = catalogue().receipt(product_id, version)
            deactivates = change.before is None or (change.after.active and not change.before.active)
            if deactivates and not self.has_delete_permission(request):
                raise PermissionDenied
            origin = origin_of(request, reason=f"Takes back version {version}")
            product = catalogue().undo(product_id, version, origin).product
            remember(request, product_id)
            said, level, status = f"Took back v{version}, saved as v{product.version}.", messages.SUCCESS, 200
        except EditConflict as refusal:
            said = f"v{version} can't be taken back alone: {_changed_since(refusal)}."
            level, status = messages.ERROR, 409
        except CatalogueError as refusal:
            said, level, status = str(refusal), messages.ERROR, 404 if isinstance(refusal, Missing) else 409
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"message": said}, status=status)
        self.message_user(request, said, level)
        return HttpResponseRedirect(_local(request) or reverse("admin:products_product_changelist"))

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
