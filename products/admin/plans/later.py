"""The product form and plans: entries that are saved for later, and the product at a later time."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy

from products.admin.base import ModelAdmin, product_url
from products.admin.form import ProductForm
from products.admin.plans.coming import product_at_view
from products.admin.plans.listing import may_plan
from products.admin.plans.making import Making, first_form, making_page
from products.admin.plans.sources import form_source
from products.admin.staff_writes import StaffWrites

FOR_LATER = "_later"
"""The name of the button that saves the entries for later."""
NOTHING_PLANNED = gettext_lazy("Nothing was planned or saved. Please try again.")
NOTHING_TO_PLAN = gettext_lazy("Nothing was different, so there is nothing to plan.")


def is_for_later(request: HttpRequest) -> bool:
    """Whether the entries of the form are not to be saved now."""
    return request.method == "POST" and FOR_LATER in request.POST


def plans_answer(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse | None:
    """Return the answer to a request of the product's page that is about plans.

    None for all others, and for entries for later that the form refuses.
    """
    if request.method in {"GET", "HEAD"} and "at" in request.GET:
        if not admin.has_view_permission(request):
            raise PermissionDenied
        return product_at_view(admin, request, product_id)
    return _plan_entries(admin, request, product_id) if is_for_later(request) else None


def _plan_entries(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse | None:
    if not (may_plan(request) and admin.has_change_permission(request)):
        raise PermissionDenied
    form = ProductForm(
        request.POST, writes=StaffWrites(request), product_id=product_id, dry_run=True
    )
    if not form.is_valid() or form.accepted is None:
        return None
    if form.accepted.change is None:
        messages.warning(request, NOTHING_TO_PLAN)
        return HttpResponseRedirect(product_url("change", product_id))
    source = form_source(form.accepted.change)
    return making_page(admin, request, Making(source, first_form(source)))
