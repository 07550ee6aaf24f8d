"""The staff's face of the catalogue: Django's admin, on the catalogue's use-cases."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

import products.admin.tokens  # noqa: F401 # registers the page of API tokens
from products.admin.away import page_or_away
from products.admin.changelist import ActiveFilter, BillingCycleFilter, ProductChangeList
from products.admin.form import FIELDS, ProductForm
from products.admin.recent import remember
from products.admin.texts import HISTORY_MOST, history_row, label, way_of
from products.bootstrap import catalogue, new_id
from products.changes import Origin, ProductNotFound, differences
from products.models import Product
from products.product import CatalogueError, Invalid, TryLater, money

admin.site.site_header = admin.site.site_title = "BBWS product catalogue"
admin.site.index_title = "Catalogue"
admin.site.site_url = None  # the site's front page is this very admin


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ("name", "shown_price", "shown_renewal", "shown_period", "active", "state", "version", "updated")
    list_display_links = ("name",)
    list_filter = (ActiveFilter, BillingCycleFilter)
    list_per_page = 50
    search_fields = ("name",)  # shows the box; get_search_results does the searching
    search_help_text = "Name, description, features or ID"
    sortable_by = ("shown_price",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = ("deactivate", "restore")
    readonly_fields = ("pipeline",)

    # The list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ProductChangeList]:
        return ProductChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @page_or_away
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if ERROR_FLAG in request.GET:
            self.message_user(request, "That filter is not known here, so this is the whole list.", messages.WARNING)
        return super().changelist_view(request, extra_context)

    @admin.display(description="Price", ordering="price")
    def shown_price(self, product: Product) -> str:
        return money(product.price, product.currency)

    @admin.display(description="Renewal")
    def shown_renewal(self, product: Product) -> str:
        return money(product.renewal_price, product.currency) if product.renewal_price is not None else ""

    @admin.display(description="Period")
    def shown_period(self, product: Product) -> str:
        return str(product.period)

    @admin.display(description="Updated")
    def updated(self, product: Product) -> str:
        return format_html("{}<br>by {}", f"{product.updated_at:%d %b %Y %H:%M}", product.updated_by)

    @admin.display(description="State")
    def state(self, product: Product) -> str:
        return product.open_change.status if product.open_change else "complete"

    # Deactivating and restoring, many at once

    @admin.action(description="Deactivate", permissions=["delete"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, catalogue().deactivate, "deactivated")

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, catalogue().restore, "restored")

    def _each(self, request: HttpRequest, chosen: Any, write: Callable[..., Any], done: str) -> None:
        written = already = 0
        for product in chosen:
            try:
                changed = write(product.product_id, _origin(request)).change is not None
                remember(request, product.product_id)
                written, already = written + changed, already + (not changed)
            except CatalogueError as refusal:
                self.message_user(request, f"{product}: {refusal}", messages.ERROR)
        note = f" {already} needed nothing." if already else ""
        self.message_user(request, f"{written or 'No'} product{'' if written == 1 else 's'} {done}.{note}")

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        # Only rows that were ticked; "all that match" is never on offer here, so whoever sends it made it up.
        if set(request.POST.getlist("select_across")) - {"", "0"}:
            self.message_user(request, "Choose the products one by one.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # ours says what it really does
        return actions

    # One product

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Product | None:
        try:
            return Product.of(catalogue().newest(object_id))
        except (ProductNotFound, Invalid):
            return None
        except TryLater as away:
            if request.method != "POST":
                raise
            # What was typed must survive: the form is shown again over what it was sent with.
            request.refusal = away  # type: ignore[attr-defined] # ours
            typed = Product(product_id=object_id, name=request.POST.get("name", ""))
            typed._state.adding = False
            return typed

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("product_id", *FIELDS)})]
        if not obj.version:  # what was typed while DynamoDB is away: there is no way to show
            return [(None, {"fields": FIELDS})]
        may_change = self.has_change_permission(request, obj)
        shown = FIELDS if may_change else tuple("shown_features" if name == "features" else name for name in FIELDS)
        return [(None, {"fields": shown}), ("Way of the newest version", {"fields": ("pipeline",)})]

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type("ProductForm", (form,), {"refusal": getattr(request, "refusal", None)})

    def save_form(self, request: HttpRequest, form: ProductForm, change: bool) -> Product:
        return cast(Product, form.instance)

    def save_model(self, request: Any, obj: Product, form: ProductForm, change: bool) -> None:
        """The one write of this screen. ``changeform_view`` shows what the catalogue refuses."""
        if change:
            base = form.cleaned_data["base_version"]
            accepted = catalogue().update(obj.product_id, form.edits, _origin(request), base=base)
        else:
            chosen = form.cleaned_data.get("product_id") or None
            accepted = catalogue().create(chosen, form.edits, _origin(request))
        remember(request, accepted.product.product_id)
        obj.__dict__.update(Product.of(accepted.product).__dict__)
        made = accepted.change
        request.changed = [label(name) for name in differences(made.before, made.after)] if made else []
        saved = f"Saved as v{obj.version}." if made else "Nothing was different, so nothing was saved."
        request.saved = f"{obj.name}: {saved}"

    def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> Any:
        """What the accepted change holds; the form also takes for changed what others did since it was opened."""
        if add:
            return [{"added": {}}]
        return [{"changed": {"fields": request.changed}}] if request.changed else []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A product has no related rows."""

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        super().message_user(request, request.__dict__.pop("saved", message), *args, **kwargs)

    @page_or_away
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except CatalogueError as refusal:
            if request.method != "POST":
                raise
            request.refusal = refusal  # type: ignore[attr-defined] # ours
            return super().changeform_view(request, object_id, form_url, extra_context)

    @admin.display(description="Features")
    def shown_features(self, product: Product) -> str:
        return "\n".join(product.features)

    @admin.display(description="Effects")
    def pipeline(self, product: Product) -> str:
        """The newest version's way: each effect with its time, or why it is still open."""
        return way_of(catalogue().receipt(product.product_id, product.version))

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        accepted = catalogue().deactivate(obj.product_id, _origin(request), only_if=obj.version)
        remember(request, obj.product_id)
        how = f"was deactivated as v{accepted.product.version}" if accepted.change else "was deactivated already"
        request.saved = f"{obj.name} {how}."  # type: ignore[attr-defined] # ours

    @page_or_away
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, {"title": "Deactivate?", **(extra_context or {})})
        except CatalogueError as refusal:
            if isinstance(refusal, TryLater) and request.method != "POST":
                raise
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        needed = set() if self.has_delete_permission(request) else {"product"}
        return [str(product) for product in objs], {"products": len(objs)}, needed, []

    # History

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
            accepted = catalogue().restore(unquote(object_id), _origin(request))
            remember(request, accepted.product.product_id)
            how = f"was restored as v{accepted.product.version}" if accepted.change else "is active already"
            self.message_user(request, f"{accepted.product.name} {how}.")
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:products_product_change", args=[quote(unquote(object_id))]))


def _origin(request: HttpRequest) -> Origin:
    request_id = getattr(request, "request_id", None) or new_id()
    return Origin(actor=request.user.get_username(), source="admin", request_id=request_id)
