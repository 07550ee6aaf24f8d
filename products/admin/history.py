"""A product's history: its versions, and bringing it back."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from products.admin.base import ModelAdmin, origin_of
from products.admin.formatting import MAX_HISTORY, authors, compared, history_row, label
from products.admin.recent_saves import remember
from products.admin.refusals import status_of
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import catalogue
from products.errors import CatalogueError, Invalid, NotFound, ProductNotFound
from products.merging import EditConflict, VersionMismatch
from products.product import RULES


def _changed_since(conflict: EditConflict) -> str:
    who = authors(conflict)
    return ", ".join(
        f"{who[name]} changed {label(name).lower()} since" for name in conflict.clashes
    )


def _local(request: HttpRequest) -> str:
    """The page to go back to, where it is one of ours."""
    target = request.POST.get("next", "")
    return (
        target
        if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
        else ""
    )


def _version(request: HttpRequest, name: str) -> int | None:
    """A version number among the parameters; None when there is none that could be one."""
    given = (request.POST or request.GET).get(name, "")
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) <= 12 else None


def _comparison(request: HttpRequest, product_id: str) -> dict[str, Any] | None:
    """What differs between the two versions that were chosen; each of its fields can be brought back."""
    older, newer = _version(request, "from"), _version(request, "to")
    if older is None or newer is None:
        return None
    older, newer = sorted((older, newer))
    try:
        before, after = (
            catalogue().version(product_id, older),
            catalogue().version(product_id, newer),
        )
        newest = catalogue().newest(product_id).version
    except (NotFound, Invalid):
        return None
    fields = compared(before, after)
    same = [label(name) for name in RULES if name not in {field["name"] for field in fields}]
    return {"older": older, "newer": newer, "newest": newest, "fields": fields, "same": same}


class ProductHistory(ModelAdmin):
    @with_unavailable_page
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        product_id = unquote(object_id)
        try:
            changes = catalogue().history(
                product_id, before=_version(request, "before"), limit=MAX_HISTORY
            )
        except (ProductNotFound, Invalid):
            changes = []
        newest = self.get_object(request, product_id)
        older = (
            changes[-1].version if len(changes) == MAX_HISTORY and changes[-1].version > 1 else None
        )
        context = {
            "changes": [history_row(change) for change in changes],
            "older": older,
            **(extra_context or {}),
        }
        context |= {
            "comparison": _comparison(request, product_id),
            "may_change": self.has_change_permission(request),
        }
        context["newest"] = newest.version if newest else 0
        return super().history_view(request, object_id, context)

    def get_urls(self) -> list[Any]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        back = self.admin_site.admin_view(require_POST(self.restore_version_view))
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [
            path("<path:object_id>/restore/", restore, name="products_product_restore"),
            path(
                "<path:object_id>/restore/<int:version>/",
                back,
                name="products_product_restore_version",
            ),
            path("<path:object_id>/undo/<int:version>/", undo, name="products_product_undo"),
            *super().get_urls(),
        ]

    def restore_version_view(
        self, request: HttpRequest, object_id: str, version: int
    ) -> HttpResponse:
        """Make the product - or the one field that was asked for - as it was after a version that was looked at."""
        product_id, field = unquote(object_id), request.POST.get("field", "")
        if not self.has_change_permission(request) or (field and field not in RULES):
            raise PermissionDenied
        fields = (field,) if field else tuple(RULES)
        try:
            target = catalogue().version(product_id, version)
            if "active" in fields and not target.active and not self.has_delete_permission(request):
                raise PermissionDenied
            what = label(field) if field else "Everything"
            origin = origin_of(
                request, reason=request.POST.get("reason", "") or f"{what} as in version {version}"
            )
            seen = _version(request, "seen")
            accepted = catalogue().restore_version(
                product_id, version, origin, fields=fields, expected_version=seen
            )
            remember(request, product_id)
            done = f"{what} as in v{version}, saved as v{accepted.product.version}."
            self.message_user(
                request, done if accepted.change else "Nothing was different, so nothing was saved."
            )
        except VersionMismatch as moved:
            by = f"{moved.product.updated_by} saved version {moved.product.version} meanwhile; look at it first."
            self.message_user(request, by, messages.ERROR)
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(
            reverse("admin:products_product_history", args=[quote(product_id)])
        )

    def undo_view(self, request: HttpRequest, object_id: str, version: int) -> HttpResponse:
        """Take back what one version changed, and keep what was changed since."""
        product_id = unquote(object_id)
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            change = catalogue().receipt(product_id, version)
            deactivates = change.before is None or (
                change.after.active and not change.before.active
            )
            if deactivates and not self.has_delete_permission(request):
                raise PermissionDenied
            origin = origin_of(request, reason=f"Takes back version {version}")
            accepted = catalogue().undo(product_id, version, origin)
            remember(request, product_id)
            done = f"Took back v{version}, saved as v{accepted.product.version}."
            said = done if accepted.change else "Nothing was different, so nothing was saved."
            level, status = messages.SUCCESS, 200
        except EditConflict as refusal:
            said = f"v{version} can't be taken back alone: {_changed_since(refusal)}."
            level, status = messages.ERROR, status_of(refusal)
        except CatalogueError as refusal:
            said, level, status = str(refusal), messages.ERROR, status_of(refusal)
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
            how = (
                f"was restored as v{accepted.product.version}"
                if accepted.change
                else "is active already"
            )
            self.message_user(request, f"{accepted.product.name} {how}.")
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(
            reverse("admin:products_product_change", args=[quote(unquote(object_id))])
        )
