"""The page of one product: its form, saving it, and deactivating it."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html

from products.admin.base import Context, ModelAdmin, origin_of
from products.admin.form import ProductForm
from products.admin.formatting import NOTHING_SAVED, field_label
from products.admin.preview import card_context
from products.admin.queryset import model_of
from products.admin.receipt import receipt_context, undo_button
from products.admin.recent_saves import remember_save
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import acceptance, catalogue
from products.errors import CatalogueError, CorruptChange, Invalid, ProductNotFound, Unavailable
from products.merging import differences
from products.models import Product
from products.writes import Accepted

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldOpts, _FieldsetSpec
    from django.utils.functional import _StrOrPromise

GENERAL_FIELDS = ("name", "description")
PRICE_FIELDS = (("price", "currency"), ("renewal_price", "billing_cycle"), "period")
SCRIPTS = ("features", "preview", "receipt", "conflicts", "image")


class ProductForms(ModelAdmin):
    form = ProductForm
    warn_unsaved_form = True  # a feature of the theme

    @property
    def media(self) -> forms.Media:
        scripts = [f"products/{name}.js" for name in SCRIPTS]
        return super().media + forms.Media(js=scripts, css={"all": ["products/form.css"]})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Product | None:
        try:
            return model_of(catalogue().newest(object_id))
        except (ProductNotFound, Invalid):
            return None
        except Unavailable as error:
            if request.method != "POST":
                raise
            # The form is shown again over a stand-in product, so that the entries are not lost.
            request.refusal = error  # type: ignore[attr-defined] # ours
            stand_in = Product(product_id=object_id, name=request.POST.get("name", ""))
            stand_in._state.adding = False
            return stand_in

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> "_FieldsetSpec":
        """Return the fields in the order in which people think of them."""
        general = GENERAL_FIELDS if obj else ("product_id", *GENERAL_FIELDS)
        features = "features" if self._may_write(request, obj) else "features_text"
        fieldsets: list[tuple[_StrOrPromise | None, _FieldOpts]] = [
            (None, {"fields": general}),
            ("Price", {"fields": PRICE_FIELDS}),
            ("What it includes", {"fields": (features,)}),
        ]
        if self._may_write(request, obj):
            fieldsets.append(("This change", {"fields": ("reason",)}))
        return fieldsets

    def _may_write(self, request: HttpRequest, obj: Product | None) -> bool:
        if obj:
            return self.has_change_permission(request, obj)
        return self.has_add_permission(request)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        return ("features_text",)

    def get_form(
        self,
        request: HttpRequest,
        obj: Product | None = None,
        change: bool = False,
        **kwargs: object,
    ) -> type[ProductForm]:
        """Return a form class that shows the refusal of the first attempt, if there was one."""
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return cast(type[ProductForm], type("ProductForm", (form,), {"refusal": refusal}))

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
        }

    def save_form(self, request: HttpRequest, form: ProductForm, change: bool) -> Product:
        return cast(Product, form.instance)

    def save_model(
        self, request: HttpRequest, obj: Product, form: ProductForm, change: bool
    ) -> None:
        """Write the product through the catalogue; ``changeform_view`` shows what it refuses."""
        accepted = self._write(request, obj, form, change)
        remember_save(request, accepted.product.product_id)
        obj.__dict__.update(model_of(accepted.product).__dict__)
        written = accepted.change
        changed = differences(written.before, written.after) if written else {}
        labels = [field_label(name) for name in changed]
        request.changed_labels = labels  # type: ignore[attr-defined] # ours
        outcome = f"Saved as v{obj.version}." if written else NOTHING_SAVED
        merge_note = _merge_note(accepted, form.cleaned_data.get("base_version"))
        message = f"{obj.name}: {outcome}{merge_note}"
        if written and written.before:
            message = format_html("{} {}", message, undo_button(written))
        request.saved_message = message  # type: ignore[attr-defined] # ours

    def _write(
        self, request: HttpRequest, obj: Product, form: ProductForm, change: bool
    ) -> Accepted:
        entries = form.cleaned_data
        origin = origin_of(request, reason=entries.get("reason", ""))
        if change:
            base = entries["base_version"]
            return acceptance().update(obj.product_id, form.edits, origin, base=base)
        return acceptance().create(entries.get("product_id") or None, form.edits, origin)

    def construct_change_message(
        self,
        request: HttpRequest,
        form: forms.Form,
        formsets: object,
        add: bool = False,
    ) -> list[dict[str, dict[str, list[str]]]]:
        """Return the fields of the accepted change for Django's admin log.

        The form itself also counts the fields that others have changed since it was opened.
        """
        if add:
            return [{"added": {}}]
        labels = request.changed_labels  # type: ignore[attr-defined] # set by save_model
        return [{"changed": {"fields": labels}}] if labels else []

    def save_related(
        self, request: HttpRequest, form: ProductForm, formsets: object, change: bool
    ) -> None:
        """Do nothing: a product has no related rows."""

    def message_user(
        self,
        request: HttpRequest,
        message: object,
        level: int | str = messages.INFO,
        extra_tags: str = "",
        fail_silently: bool = False,
    ) -> None:
        """Show the message of the save that was just made instead of Django's own, if any."""
        text = request.__dict__.pop("saved_message", message)
        super().message_user(request, text, level, extra_tags, fail_silently)

    @with_unavailable_page
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Show or save the form. A refused save runs the view again, with the refusal as errors."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except CatalogueError as refusal:
            if request.method != "POST":
                raise
            request.refusal = refusal  # type: ignore[attr-defined] # ours
            return super().changeform_view(request, object_id, form_url, extra_context)

    @admin.display(description="Features")
    def features_text(self, product: Product) -> str:
        return "\n".join(product.features)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        """Deactivate the product: a product is never deleted."""
        accepted = acceptance().deactivate(
            obj.product_id, origin_of(request), expected_version=obj.version
        )
        remember_save(request, obj.product_id)
        if accepted.change:
            outcome = f"was deactivated as v{accepted.product.version}"
        else:
            outcome = "was deactivated already"
        request.saved_message = f"{obj.name} {outcome}."  # type: ignore[attr-defined] # ours

    @with_unavailable_page
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        context = {"title": "Deactivate?", **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, context)
        except CatalogueError as refusal:
            if isinstance(refusal, Unavailable) and request.method != "POST":
                raise
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def get_deleted_objects(
        self, objs: Iterable[Product], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        missing_permissions = set() if self.has_delete_permission(request) else {"product"}
        names = [str(product) for product in objs]
        return names, {"products": len(names)}, missing_permissions, []


def _merge_note(accepted: Accepted, base: int | None) -> str:
    """Name what others had saved since the form was opened and this save has kept.

    The note is left out if their version can't be read, because the save itself is done.
    """
    written = accepted.change
    if written is None or written.before is None or base is None:
        return ""
    previous = written.before
    if previous.version <= base:
        return ""
    with suppress(CatalogueError):
        theirs = differences(catalogue().version(written.product_id, base), previous)
        fields = ", ".join(field_label(name) for name in theirs)
        return f" Merged with v{previous.version} by {previous.updated_by} ({fields})."
    return ""
