"""The list of products: its columns, its filters, and what can be done with the rows that are ticked."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince

from products.admin.base import ModelAdmin, origin_of
from products.admin.changelist import ProductChangeList
from products.admin.filters import FILTERS
from products.admin.queryset import all_products
from products.admin.recent_saves import remember
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import catalogue, image_url
from products.currency import money
from products.errors import CatalogueError
from products.models import Product


class ProductList(ModelAdmin):
    list_display = (
        *("named", "priced", "shown_renewal", "shown_period", "activated"),
        *("state", "shown_version", "updated"),
    )
    list_display_links = None  # the name is a link of its own; other cells can be edited in place
    list_filter = FILTERS
    list_per_page = 50
    search_fields = ("name",)  # shows the box; get_search_results does the searching
    search_help_text = "Name, description, features or ID"
    sortable_by = ()  # the orders that an index holds are among the filters
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = ("bulk", "deactivate", "restore")

    def get_queryset(self, request: HttpRequest) -> Any:
        return all_products()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ProductChangeList]:
        return ProductChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @with_unavailable_page
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if ERROR_FLAG in request.GET:
            self.message_user(
                request,
                "That filter is not known here, so this is the whole list.",
                messages.WARNING,
            )
        return super().changelist_view(request, {"title": "Products", **(extra_context or {})})

    @admin.display(description="Name")
    def named(self, product: Product) -> str:
        address = reverse("admin:products_product_change", args=[quote(product.pk)])
        url = image_url(product.image)
        image = format_html('<img class="thumb" src="{}" alt="">', url) if url else ""
        mark = '{}<a class="name" href="{}">{}</a><span class="id">{}</span>'
        return format_html(mark, image, address, product.name, product.pk)

    @admin.display(description="Price")
    def priced(self, product: Product) -> str:
        text = money(product.price, product.currency)
        return format_html(
            '<span data-cell="price" data-value="{}">{}</span>', f"{product.price:.2f}", text
        )

    @admin.display(description="Renewal")
    def shown_renewal(self, product: Product) -> str:
        return (
            money(product.renewal_price, product.currency)
            if product.renewal_price is not None
            else "\u2013"
        )

    @admin.display(description="Period")
    def shown_period(self, product: Product) -> str:
        return str(product.period)

    @admin.display(description="Active")
    def activated(self, product: Product) -> str:
        value, text = ("true", "Active") if product.active else ("false", "Deactivated")
        return format_html(
            '<span class="flag" data-cell="active" data-value="{}">{}</span>', value, text
        )

    @admin.display(description="State")
    def state(self, product: Product) -> str:
        """The receipt's address is there only while something is open, so that the page knows what to follow."""
        change = product.open_change
        if change is None:
            return format_html('<span class="state" data-state="{0}">{0}</span>', "complete")
        receipt = reverse(
            "admin:products_product_receipt", args=[quote(product.pk), product.version]
        )
        mark = '<span class="state" data-state="{0}" data-receipt="{1}">{0}</span>'
        return format_html(mark, change.status, receipt)

    @admin.display(description="Version")
    def shown_version(self, product: Product) -> str:
        address = reverse("admin:products_product_cell", args=[quote(product.pk)])
        mark = '<span data-row="{}" data-address="{}">v{}</span>'
        return format_html(mark, product.version, address, product.version)

    @admin.display(description="Updated")
    def updated(self, product: Product) -> str:
        ago = timesince(product.updated_at, depth=1)
        ago = "just now" if ago.startswith("0") else f"{ago} ago"
        mark = '<time datetime="{0}" title="{1} UTC">{2}</time><span class="id">by {3}</span>'
        return format_html(
            mark,
            product.updated_at.isoformat(),
            f"{product.updated_at:%d %b %Y %H:%M:%S}",
            ago,
            product.updated_by,
        )

    # Deactivating and restoring, many at once

    @admin.action(description="Bulk edit…", permissions=["change"])
    def bulk(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        chosen = QueryDict(mutable=True)
        chosen.setlist("id", [product.product_id for product in queryset])
        return HttpResponseRedirect(
            f"{reverse('admin:products_product_bulk')}?{chosen.urlencode()}"
        )

    @admin.action(description="Deactivate", permissions=["delete"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, catalogue().deactivate, "deactivated")

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, catalogue().restore, "restored")

    def _each(
        self, request: HttpRequest, chosen: Any, write: Callable[..., Any], done: str
    ) -> None:
        written = already = 0
        for product in chosen:
            try:
                changed = write(product.product_id, origin_of(request)).change is not None
                remember(request, product.product_id)
                written, already = written + changed, already + (not changed)
            except CatalogueError as refusal:
                self.message_user(request, f"{product}: {refusal}", messages.ERROR)
        note = f" {already} needed nothing." if already else ""
        self.message_user(
            request, f"{written or 'No'} product{'' if written == 1 else 's'} {done}.{note}"
        )

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
