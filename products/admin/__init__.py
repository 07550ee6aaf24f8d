"""The staff's face of the catalogue: Django's admin, on the catalogue's use-cases."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

from products.admin.changelist import ActiveFilter, BillingCycleFilter, ProductChangeList
from products.admin.form import FIELDS, ProductForm
from products.bootstrap import catalogue, new_id
from products.changes import Change, Origin, ProductNotFound, differences
from products.models import Product
from products.pipeline import states
from products.product import CatalogueError, Invalid, TryLater, money, wire_name

admin.site.site_header = admin.site.site_title = "BBWS product catalogue"
admin.site.index_title = "Catalogue"
HISTORY_MOST = 50


def page_or_away(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A read while DynamoDB is away gets a page that says so and can be reloaded, never an error page."""

    @wraps(view)
    def guarded(self: "ProductAdmin", request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(self, request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response
        except TryLater as away:
            context = {**self.admin_site.each_context(request), "title": "Not just now", "reason": str(away)}
            response = render(request, "admin/products/away.html", context, status=503)
            response["Retry-After"] = "5"
            return response

    return guarded


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ("name", "shown_price", "shown_renewal", "shown_period", "active", "version", "updated", "state")
    list_display_links = ("name",)
    list_filter = (ActiveFilter, BillingCycleFilter)
    list_per_page = 50
    search_fields = ("name",)  # shows the box; get_search_results does the searching
    search_help_text = "Name, description, features or ID"
    sortable_by = ("shown_price", "updated")
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
        return f"{product.updated_at:%d %b %Y %H:%M} by {product.updated_by}"

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
        written = 0
        for product in chosen:
            try:
                written += write(product.product_id, _origin(request)).change is not None
            except CatalogueError as refusal:
                self.message_user(request, f"{product}: {refusal}", messages.ERROR)
        self.message_user(request, f"{written} {done}." if written else f"Nothing to do: all {done} already.")

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        # Only rows that were ticked; "all that match" is never on offer here, so whoever sends it made it up.
        if request.POST.get("select_across") == "1":
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
        return [(None, {"fields": FIELDS}), ("Way of the newest version", {"fields": ("pipeline",)})]

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type("ProductForm", (form,), {"refusal": getattr(request, "refusal", None)})

    def save_form(self, request: HttpRequest, form: ProductForm, change: bool) -> Product:
        return cast(Product, form.instance)

    def save_model(self, request: HttpRequest, obj: Product, form: ProductForm, change: bool) -> None:
        """The one write of this screen. ``changeform_view`` shows what the catalogue refuses."""
        if change:
            base = form.cleaned_data["base_version"]
            accepted = catalogue().update(obj.product_id, form.edits, _origin(request), base=base)
        else:
            chosen = form.cleaned_data.get("product_id") or None
            accepted = catalogue().create(chosen, form.edits, _origin(request))
        obj.__dict__.update(Product.of(accepted.product).__dict__)
        saved = f"Saved as v{obj.version}." if accepted.change else "Nothing was different, so nothing was saved."
        request.saved = f"{obj.name}: {saved}"  # type: ignore[attr-defined] # ours

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

    @admin.display(description="Effects")
    def pipeline(self, product: Product) -> str:
        """The newest version's way: each effect with its time, or why it is still open."""
        change = catalogue().receipt(product.product_id, product.version)
        rows = ((name.capitalize(), _state_text(state)) for name, state in states(change).items())
        head = f"Version {change.version}, accepted {change.accepted_at:%d %b %Y %H:%M:%S} from {change.origin.actor}"
        return format_html("{}<ul>{}</ul>", head, format_html_join("", "<li><b>{}</b>: {}</li>", rows))

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        catalogue().deactivate(obj.product_id, _origin(request), only_if=obj.version)
        request.saved = f"{obj.name} was deactivated."  # type: ignore[attr-defined] # ours

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
        try:
            changes = catalogue().history(object_id, limit=HISTORY_MOST)
        except (ProductNotFound, Invalid):
            changes = []
        context = {"changes": [_history_row(change) for change in changes], **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def get_urls(self) -> list[Any]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        return [path("<path:object_id>/restore/", restore, name="products_product_restore"), *super().get_urls()]

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            product = catalogue().restore(object_id, _origin(request)).product
            self.message_user(request, f"{product.name} was restored as v{product.version}.")
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:products_product_change", args=[quote(object_id)]))


def _origin(request: HttpRequest) -> Origin:
    request_id = getattr(request, "request_id", None) or new_id()
    return Origin(actor=request.user.get_username(), source="admin", request_id=request_id)


def _state_text(state: dict[str, Any]) -> str:
    text = f"{state['at']:%H:%M:%S}" if state["at"] else state["state"]
    return f"{text} - {state['error']} (tried {state['attempts']} times)" if "error" in state else text


def _history_row(change: Change) -> dict[str, Any]:
    changed = differences(change.before, change.after).items()
    fields = [(wire_name(name), _value(before), _value(after)) for name, (before, after) in changed]
    return {"change": change, "fields": fields, "status": change.status}


def _value(value: Any) -> str:
    return "; ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
