"""One product: the form, saving it, and taking it out of the catalogue."""

from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from products.admin.away import page_or_away
from products.admin.base import ModelAdmin, origin_of
from products.admin.form import FIELDS, ProductForm
from products.admin.recent import remember
from products.admin.texts import label, way_of
from products.bootstrap import catalogue
from products.changes import ProductNotFound, differences
from products.models import Product
from products.product import CatalogueError, Invalid, TryLater


class ProductEditing(ModelAdmin):
    form = ProductForm
    readonly_fields = ("pipeline",)

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
            accepted = catalogue().update(obj.product_id, form.edits, origin_of(request), base=base)
        else:
            chosen = form.cleaned_data.get("product_id") or None
            accepted = catalogue().create(chosen, form.edits, origin_of(request))
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
        accepted = catalogue().deactivate(obj.product_id, origin_of(request), only_if=obj.version)
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
