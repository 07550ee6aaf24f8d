"""The list of products: its columns, its filters, and the actions on ticked rows."""

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince

from products.admin.base import Context, ModelAdmin, product_url
from products.admin.changelist import ProductChangeList
from products.admin.filters import FILTERS
from products.admin.queryset import ProductQuery, all_products
from products.admin.refusals import with_refusal_pages
from products.admin.staff_writes import StaffWrites
from products.bootstrap import image_url
from products.currency import money
from products.errors import CatalogueError, CorruptChange, Unavailable
from products.models import Product
from products.writes import Accepted

EN_DASH = "\u2013"


class ProductList(ModelAdmin):
    list_display = (
        "name_column",
        "price_column",
        "renewal_column",
        "period_column",
        "active_column",
        "status_column",
        "version_column",
        "updated_column",
    )
    list_display_links = None  # the name is a link already; other cells are edited in place
    list_filter = FILTERS
    list_per_page = 50
    search_fields = ("name",)  # shows the search box; get_search_results does the search
    search_help_text = "Name, description, features or ID"
    sortable_by = ()  # the orders that an index has are among the filters
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = ("bulk", "deactivate", "restore")
    # The theme asks for it twice a row. Where it is missing, Django lists all names of the class.
    list_sections = ()

    def get_queryset(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest
    ) -> ProductQuery:
        return all_products()

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ProductChangeList]:
        return ProductChangeList

    def get_search_results(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, queryset: ProductQuery, search_term: str
    ) -> tuple[ProductQuery, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @with_refusal_pages
    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        if ERROR_FLAG in request.GET:
            message = "That filter is not known, so all products are shown."
            self.message_user(request, message, messages.WARNING)
        context = {"title": "Products", **(extra_context or {})}
        return super().changelist_view(request, context)

    # Columns

    @admin.display(description="Name")
    def name_column(self, product: Product) -> str:
        image = image_url(product.image)
        thumbnail = format_html('<img class="thumb" src="{}" alt="">', image) if image else ""
        return format_html(
            '{}<a class="name" href="{}">{}</a><span class="id">{}</span>',
            thumbnail,
            product_url("change", product.pk),
            product.name,
            product.pk,
        )

    @admin.display(description="Price")
    def price_column(self, product: Product) -> str:
        return format_html(
            '<span data-cell="price" data-value="{}">{}</span>',
            f"{product.price:.2f}",
            money(product.price, product.currency),
        )

    @admin.display(description="Renewal")
    def renewal_column(self, product: Product) -> str:
        if product.renewal_price is None:
            return EN_DASH
        return money(product.renewal_price, product.currency)

    @admin.display(description="Period")
    def period_column(self, product: Product) -> str:
        return str(product.period)

    @admin.display(description="Active")
    def active_column(self, product: Product) -> str:
        value, text = ("true", "Active") if product.active else ("false", "Deactivated")
        return format_html(
            '<span class="flag" data-cell="active" data-value="{}">{}</span>', value, text
        )

    @admin.display(description="Status")
    def status_column(self, product: Product) -> str:
        """Show the status of the newest change.

        While it is open, the cell has the address of its receipt, which the page's script polls.
        """
        change = product.open_change
        if change is None:
            return format_html('<span class="state" data-state="{0}">{0}</span>', "complete")
        return format_html(
            '<span class="state" data-state="{0}" data-receipt="{1}">{0}</span>',
            change.status,
            product_url("receipt", product.pk, product.version),
        )

    @admin.display(description="Version")
    def version_column(self, product: Product) -> str:
        return format_html(
            '<span data-version="{}" data-address="{}">v{}</span>',
            product.version,
            product_url("cell", product.pk),
            product.version,
        )

    @admin.display(description="Updated")
    def updated_column(self, product: Product) -> str:
        age = timesince(product.updated_at, depth=1)
        return format_html(
            '<time datetime="{0}" title="{1} UTC">{2}</time><span class="id">by {3}</span>',
            product.updated_at.isoformat(),
            f"{product.updated_at:%d %b %Y %H:%M:%S}",
            "just now" if age.startswith("0") else f"{age} ago",
            product.updated_by,
        )

    # Actions on the ticked products

    @admin.action(description="Bulk edit…", permissions=["change"])
    def bulk(self, request: HttpRequest, queryset: Iterable[Product]) -> HttpResponse:
        parameters = QueryDict(mutable=True)
        parameters.setlist("id", [product.product_id for product in queryset])
        bulk_url = reverse("admin:products_product_bulk")
        return HttpResponseRedirect(f"{bulk_url}?{parameters.urlencode()}")

    @admin.action(description="Deactivate", permissions=["delete"])
    def deactivate(self, request: HttpRequest, queryset: Iterable[Product]) -> None:
        write = StaffWrites(request).deactivate
        self._write_each(request, queryset, write, done="deactivated", already="deactivated")

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: Iterable[Product]) -> None:
        write = StaffWrites(request).restore
        self._write_each(request, queryset, write, done="restored", already="active")

    def _write_each(
        self,
        request: HttpRequest,
        selected: Iterable[Product],
        write: Callable[[str], Accepted],
        *,
        done: str,
        already: str,
    ) -> None:
        """Write each product and report how many were changed and which were refused."""
        changed_count = unchanged_count = 0
        for product in selected:
            try:
                accepted = write(product.product_id)
            except Unavailable as refusal:
                self.message_user(request, f"{product}: {refusal}", messages.ERROR)
                break  # the remaining products would fail too
            except (CatalogueError, CorruptChange) as refusal:
                self.message_user(request, f"{product}: {refusal}", messages.ERROR)
                continue
            if accepted.change:
                changed_count += 1
            else:
                unchanged_count += 1
        noun = "product" if changed_count == 1 else "products"
        message = f"{changed_count or 'No'} {noun} {done}."
        if unchanged_count:
            verb = "was" if unchanged_count == 1 else "were"
            message += f" {unchanged_count} {verb} {already} already."
        self.message_user(request, message)

    def response_action(  # type: ignore[override] # no QuerySet
        self, request: HttpRequest, queryset: ProductQuery
    ) -> HttpResponse | None:
        """Run the action on ticked rows only; the page never offers "all that match"."""
        if set(request.POST.getlist("select_across")) - {"", "0"}:
            self.message_user(request, "Choose the products one by one.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)  # type: ignore[arg-type] # no QuerySet

    def get_actions(
        self, request: HttpRequest
    ) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # products are deactivated, never deleted
        return actions
