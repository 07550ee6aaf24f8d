"""One product: the form, saving it, and taking it out of the catalogue."""

from contextlib import suppress
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html

from products.admin.base import ModelAdmin, origin_of
from products.admin.form import ProductForm
from products.admin.formatting import label
from products.admin.preview import card_context
from products.admin.queryset import model_of
from products.admin.receipt import receipt_context, undo_button
from products.admin.recent_saves import remember
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import catalogue
from products.errors import CatalogueError, CorruptChange, Invalid, ProductNotFound, Unavailable
from products.merging import differences
from products.models import Product
from products.writes import Accepted

SHAPE = [
    (None, ("name", "description")),
    ("Price", (("price", "currency"), ("renewal_price", "billing_cycle"), "period")),
    ("What it includes", ("features",)),
]
"""The fields in the order in which people think of them."""


class ProductForms(ModelAdmin):
    form = ProductForm
    warn_unsaved_form = True  # the theme's guard; stock has none

    @property
    def media(self) -> forms.Media:
        own = [
            f"products/{name}.js" for name in ("features", "preview", "receipt", "clashes", "image")
        ]
        return super().media + forms.Media(js=own, css={"all": ["products/edit.css"]})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Product | None:
        try:
            return model_of(catalogue().newest(object_id))
        except (ProductNotFound, Invalid):
            return None
        except Unavailable as away:
            if request.method != "POST":
                raise
            # What was typed must survive: the form is shown again over what it was sent with.
            request.refusal = away  # type: ignore[attr-defined] # ours
            typed = Product(product_id=object_id, name=request.POST.get("name", ""))
            typed._state.adding = False
            return typed

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        may_write = (
            self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        )
        sets: list[Any] = [(title, {"fields": fields}) for title, fields in SHAPE]
        if obj is None:
            sets[0] = (None, {"fields": ("product_id", *SHAPE[0][1])})
        if not may_write:
            sets[2] = ("What it includes", {"fields": ("shown_features",)})
            return sets
        return [*sets, ("This change", {"fields": ("reason",)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        return ("shown_features",)

    def get_form(
        self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type("ProductForm", (form,), {"refusal": getattr(request, "refusal", None)})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the receipt of the newest version and the product's card beside the form."""
        obj: Product | None = kwargs.get("obj")
        if obj and obj.version:
            with suppress(
                Unavailable, CorruptChange
            ):  # the form is what matters; without DynamoDB it stands alone
                newest = catalogue().receipt(obj.product_id, obj.version)
                beside = receipt_context(newest) | card_context(newest.after)
                context = {
                    **context,
                    **beside,
                    "may_change": self.has_change_permission(request, obj),
                }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_form(self, request: HttpRequest, form: ProductForm, change: bool) -> Product:
        return cast(Product, form.instance)

    def save_model(self, request: Any, obj: Product, form: ProductForm, change: bool) -> None:
        """The one write of this screen. ``changeform_view`` shows what the catalogue refuses."""
        given = form.cleaned_data
        origin = origin_of(request, reason=given.get("reason", ""))
        if change:
            accepted = catalogue().update(
                obj.product_id, form.edits, origin, base=given["base_version"]
            )
        else:
            accepted = catalogue().create(given.get("product_id") or None, form.edits, origin)
        remember(request, accepted.product.product_id)
        obj.__dict__.update(model_of(accepted.product).__dict__)
        made = accepted.change
        request.changed = (
            [label(name) for name in differences(made.before, made.after)] if made else []
        )
        saved = (
            f"Saved as v{obj.version}." if made else "Nothing was different, so nothing was saved."
        )
        said = f"{obj.name}: {saved}{_merged_with(accepted, given.get('base_version'))}"
        request.saved = (
            format_html("{} {}", said, undo_button(made)) if made and made.before else said
        )

    def construct_change_message(
        self, request: Any, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """What the accepted change holds; the form also takes for changed what others did since it was opened."""
        if add:
            return [{"added": {}}]
        return [{"changed": {"fields": request.changed}}] if request.changed else []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A product has no related rows."""

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        super().message_user(request, request.__dict__.pop("saved", message), *args, **kwargs)

    @with_unavailable_page
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

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        accepted = catalogue().deactivate(
            obj.product_id, origin_of(request), expected_version=obj.version
        )
        remember(request, obj.product_id)
        how = (
            f"was deactivated as v{accepted.product.version}"
            if accepted.change
            else "was deactivated already"
        )
        request.saved = f"{obj.name} {how}."  # type: ignore[attr-defined] # ours

    @with_unavailable_page
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(
                request, object_id, {"title": "Deactivate?", **(extra_context or {})}
            )
        except CatalogueError as refusal:
            if isinstance(refusal, Unavailable) and request.method != "POST":
                raise
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        needed = set() if self.has_delete_permission(request) else {"product"}
        return [str(product) for product in objs], {"products": len(objs)}, needed, []


def _merged_with(accepted: Accepted, base: int | None) -> str:
    """What others had saved since the form was opened, which this save has kept."""
    made = accepted.change
    if made is None or made.before is None or base is None or made.before.version <= base:
        return ""
    with suppress(CatalogueError):  # only a courtesy; the save itself is done
        theirs = differences(catalogue().version(made.product_id, base), made.before)
        fields = ", ".join(label(name) for name in theirs)
        return f" Merged with v{made.before.version} by {made.before.updated_by} ({fields})."
    return ""
