"""The page with the list of products. Its script asks for the rows alone, as one types."""

import json
from typing import cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.gzip import gzip_page

from products.admin.base import Context, ModelAdmin
from products.admin.changelist import ProductChangeList
from products.admin.columns import COLUMNS
from products.admin.filters import FILTERS
from products.admin.queryset import ProductQuery, all_products
from products.admin.refusals import with_refusal_pages
from products.admin.rows import RowRenderer
from products.admin.saved_views import columns_of, default_address, list_views
from products.bootstrap import now

PAGE, ROWS_ONLY = "admin/products/product/change_list.html", "admin/products/product/rows.html"


class ProductList(ModelAdmin):
    list_filter = FILTERS
    list_per_page = 50
    search_fields = ("name",)  # makes Django read the text; get_search_results does the search
    sortable_by = ()  # the orders that an index has are among the filters
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None  # bulk edits have a preview, and an undo
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

    @method_decorator(gzip_page)
    @with_refusal_pages
    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        """Show one page of the list; to the page's script, its rows and counts only."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if address := default_address(request):
            return HttpResponseRedirect(address)
        changelist = cast(ProductChangeList, self.get_changelist_instance(request))
        context = self._list_context(request, changelist)
        if request.headers.get("X-Requested-With") == "fetch":
            return TemplateResponse(request, ROWS_ONLY, context)
        context["views"] = list_views(request)
        context["all_columns"] = {name: str(column.title) for name, column in COLUMNS.items()}
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, PAGE, frame | context | (extra_context or {}))

    def _list_context(self, request: HttpRequest, changelist: ProductChangeList) -> Context:
        columns = columns_of(request)
        renderer = RowRenderer(
            may_change=self.has_change_permission(request),
            may_deactivate=self.has_delete_permission(request),
            filters=changelist.query_string,
            now=now(),
            columns=columns,
        )
        return {
            "title": gettext("Products"),
            "cl": changelist,
            "opts": self.opts,
            "columns": [(name, str(COLUMNS[name].title)) for name in columns],
            "rows": renderer.render(changelist.result_list),
            "refusals": json.dumps(changelist.refusals),
            "may_change": renderer.may_change,
            "may_deactivate": renderer.may_deactivate,
            "has_add_permission": self.has_add_permission(request),
        }
