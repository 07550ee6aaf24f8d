"""The page of one product: its form, saving it, and deactivating it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import Context, ModelAdmin, product_url
from products.admin.entries import FIELDS
from products.admin.form import ProductForm, editable_model_of
from products.admin.formatting import field_label
from products.admin.plans.coming import coming_context
from products.admin.plans.later import NOTHING_PLANNED, is_for_later, plans_answer
from products.admin.preview import card_context
from products.admin.receipt import receipt_context
from products.admin.refusals import show_refusal, with_refusal_pages
from products.admin.saved_message import plan_notes, saved_message
from products.admin.staff_writes import StaffWrites
from products.bootstrap import catalogue
from products.errors import CatalogueError, CorruptChange, Invalid, ProductNotFound, Unavailable
from products.merging import differences
from products.models import Product
from products.writes import Accepted

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldOpts, _FieldsetSpec
    from django.db.models.options import Options
    from django.utils.functional import _StrOrPromise

GENERAL_FIELDS = ("name", "description")
PRICE_FIELDS = (("price", "currency"), ("renewal_price", "billing_cycle"), "period")
SCRIPTS = ("form", "features", "preview", "receipt", "conflicts", "image", "drafts")


class ProductFormPage(ModelAdmin):
    form = ProductForm
    warn_unsaved_form = True  # a feature of the theme
    conditional_fields: ClassVar[dict[str, str]] = {}  # looked up for each field; see list_sections

    @property
    def media(self) -> forms.Media:
        scripts = [f"products/{name}.js" for name in SCRIPTS]
        return super().media + forms.Media(js=scripts, css={"all": ["products/form.css"]})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Product | None:
        try:
            return editable_model_of(catalogue().newest(object_id))
        except (ProductNotFound, Invalid):
            return None

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> "_FieldsetSpec":
        if obj:
            may_write = self.has_change_permission(request, obj)
        else:
            may_write = self.has_add_permission(request)
        return _fieldsets(adds=obj is None, may_write=may_write)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        return ("features_text",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Return what the form for a new product starts with: a copy of the product in ``from``."""
        initial = super().get_changeform_initial_data(request)
        copied = self.get_object(request, str(initial.pop("from", "")))
        if copied is None:
            return initial
        copy = {name: getattr(copied, name) for name in FIELDS}
        return {**copy, "name": gettext("{product} (copy)").format(product=copied.name)}

    def get_form(  # type: ignore[override] # Django only calls what this returns
        self,
        request: HttpRequest,
        obj: Product | None = None,
        change: bool = False,
        **kwargs: object,
    ) -> Callable[..., ProductForm]:
        """Return the form of this request, which writes with the permissions of its user."""
        return partial(
            ProductForm,
            writes=StaffWrites(request),
            product_id=obj.product_id if obj else None,
            dry_run=is_for_later(request),
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: Context,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Product | None = None,
    ) -> HttpResponse:
        """Render the form with the receipt of the newest version and the product's card."""
        if obj and obj.version:
            # The form matters most: without DynamoDB it is shown without the sidebar.
            with suppress(Unavailable, CorruptChange):
                context = context | self._sidebar_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _sidebar_context(self, request: HttpRequest, product: Product) -> Context:
        newest = catalogue().receipt(product.product_id, product.version)
        return {
            **receipt_context(newest),
            **card_context(newest.after),
            "may_change": self.has_change_permission(request, product),
            "website_url": website_url(product),
            **coming_context(request, product.product_id),
        }

    @with_refusal_pages
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Show or save the form; a refused save shows the entries again.

        Entries for later become a plan. An address with a time shows the product at that time.
        """
        try:
            if object_id and (answer := plans_answer(self, request, unquote(object_id))):
                return answer
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Unavailable as refusal:
            if request.method != "POST" or object_id is None:
                raise
            return self._show_entries(request, object_id, refusal)

    def _show_entries(
        self, request: HttpRequest, object_id: str, refusal: Unavailable
    ) -> HttpResponse:
        """Show the entries again without the product, which can't be read at the moment."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = ProductForm(request.POST, product_id=unquote(object_id))
        form.add_refusal(refusal)
        fieldsets = _fieldsets(adds=False, may_write=True)
        admin_form = helpers.AdminForm(
            form,
            fieldsets,  # type: ignore[arg-type] # the stubs know one kind of fieldset only
            {},
            self.get_readonly_fields(request),
            model_admin=self,
        )
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Change product"),
            "adminform": admin_form,
            "object_id": object_id,
            "media": self.media + admin_form.media,
            "inline_admin_formsets": [],
            "errors": helpers.AdminErrorList(form, []),
            "preserved_filters": self.get_preserved_filters(request),
            "show_history": False,
        }
        return self.render_change_form(request, context, change=True)

    def save_model(
        self, request: HttpRequest, obj: Product, form: ProductForm, change: bool
    ) -> None:
        """Say what was saved: the catalogue accepted it when the form was validated."""
        if form.dry_run:
            self.message_user(request, str(NOTHING_PLANNED), messages.ERROR)
            return
        message = format_html(
            '{} <span hidden data-saved-form="{}"></span>', saved_message(form), request.path
        )
        self.message_user(request, message, messages.SUCCESS)
        for note in plan_notes(form):
            self.message_user(request, note, messages.WARNING)

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: object, add: bool = False
    ) -> list[dict[str, dict[str, list[str]]]]:
        """Return the fields of the accepted change for Django's admin log.

        The form itself also counts the fields that others have changed since it was opened.
        """
        if add:
            return [{"added": {}}]
        change = cast(Accepted, cast(ProductForm, form).accepted).change
        if change is None:
            return []
        labels = [field_label(name) for name in differences(change.before, change.after)]
        return [{"changed": {"fields": labels}}]

    def response_add(
        self, request: HttpRequest, obj: Product, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.response_change(request, obj)

    def response_change(self, request: HttpRequest, obj: Product) -> HttpResponse:
        """Go back to the form or to the list. ``save_model`` has shown the message already."""
        if "_continue" not in request.POST:
            return self.response_post_save_change(request, obj)
        form_url = product_url("change", obj.product_id)
        filters: dict[str, Options | str] = {
            "preserved_filters": self.get_preserved_filters(request),
            "opts": self.opts,
        }
        return HttpResponseRedirect(add_preserved_filters(filters, form_url))

    @admin.display(description=gettext_lazy("Features"))
    def features_text(self, product: Product) -> str:
        return "\n".join(product.features)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        """Deactivate the product: a product is never deleted."""
        accepted = StaffWrites(request).deactivate(obj.product_id, expected_version=obj.version)
        if accepted.change:
            text = gettext("{product} was deactivated, saved as version {version}.")
        else:
            text = gettext("{product} was deactivated already.")
        said = text.format(product=obj.name, version=accepted.product.version)
        self.message_user(request, said, messages.SUCCESS)

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: object
    ) -> HttpResponse:
        """Go back to the list. ``delete_model`` has shown the message already."""
        return self.response_post_save_change(request, None)

    @with_refusal_pages
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        context = {"title": gettext("Deactivate?"), **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, context)
        except CatalogueError as refusal:
            if isinstance(refusal, Unavailable) and request.method != "POST":
                raise
            show_refusal(self, request, refusal)
            return HttpResponseRedirect(request.path)

    def get_deleted_objects(
        self, objs: Iterable[Product], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        missing_permissions = set() if self.has_delete_permission(request) else {"product"}
        names = [str(product) for product in objs]
        return names, {"products": len(names)}, missing_permissions, []


def website_url(product: Product) -> str:
    """Return where customers see the product; nothing while they don't, or without a website."""
    pattern: str = settings.WEBSITE_PRODUCT_URL
    return pattern.replace("{id}", quote(product.product_id)) if product.active else ""


def _fieldsets(*, adds: bool, may_write: bool) -> "_FieldsetSpec":
    """Return the fields in the order in which people think of them."""
    general = ("name", "product_id", "description") if adds else GENERAL_FIELDS
    features = "features" if may_write else "features_text"
    fieldsets: list[tuple[_StrOrPromise | None, _FieldOpts]] = [
        (None, {"fields": general}),
        (gettext_lazy("Price"), {"fields": PRICE_FIELDS}),
        (gettext_lazy("What it includes"), {"fields": (features,)}),
    ]
    if may_write:
        last = ("active", "reason") if adds else ("reason",)
        fieldsets.append((gettext_lazy("This change"), {"fields": last}))
    return fieldsets
