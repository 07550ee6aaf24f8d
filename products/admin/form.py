"""The product form. It knows shapes only: every rule and its sentence come from the core."""

from typing import Any

from django import forms

from products.changes import EditConflict, NameTaken, ProductExists
from products.models import Product
from products.product import (
    CURRENCIES,
    REQUIRED,
    BillingCycle,
    CatalogueError,
    Invalid,
    checked_edits,
    checked_id,
)

FIELDS = ("name", "description", "price", "renewal_price", "currency", "billing_cycle", "period", "features")


class OnePerLine(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 6, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


def _line(label: str, size: int, help_text: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"size": size})
    return forms.CharField(label=label, required=False, strip=True, help_text=help_text, widget=widget)


class ProductForm(forms.ModelForm):
    """``base_version`` is the version the editor started from, so that a save can merge with what others did since."""

    name = _line("Name", 60, "3 to 100 characters; no other product may have it.")
    description = forms.CharField(
        label="Description",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        help_text="10 to 500 characters.",
    )
    price = _line("Price", 12, "Due at purchase, e.g. 1500.00.")
    renewal_price = _line("Renewal price", 12, "Due each cycle; empty for a one-time product.")
    currency = forms.ChoiceField(choices=[(code, code) for code in sorted(CURRENCIES)])
    billing_cycle = forms.ChoiceField(choices=[(cycle.value, cycle.value.capitalize()) for cycle in BillingCycle])
    period = _line("Period text", 40, "What customers read; leave empty to derive it from the prices.")
    features = OnePerLine(label="Features", required=False, help_text="One per line, at most 20.")
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    refusal: CatalogueError | None = None

    class Meta:
        model = Product
        fields = ("product_id", *FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "product_id" in self.fields:
            self.fields["product_id"] = _line("ID", 40, "Letters, digits, - and _; leave empty to have one made.")
        if not self.instance._state.adding:
            self.initial["base_version"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for field in REQUIRED:
            if field in self.fields and not cleaned.get(field):
                self.add_error(field, "This field is required.")
        self._blame(lambda: checked_edits({k: v for k, v in self.edits.items() if k not in self.errors}))
        if cleaned.get("product_id"):
            self._blame(lambda: checked_id(cleaned["product_id"]))
        if self.refusal:
            self._show(self.refusal)
        return cleaned

    @property
    def edits(self) -> dict[str, Any]:
        """What was typed, by the core's names."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def _blame(self, check: Any) -> None:
        try:
            check()
        except Invalid as refusal:
            self._show(refusal)

    def _show(self, refusal: CatalogueError) -> None:
        """The catalogue's sentence, at the field it is about."""
        if isinstance(refusal, Invalid):
            for field, sentences in refusal.errors.items():
                self.add_error(field if field in self.fields else None, sentences)
        elif isinstance(refusal, EditConflict):
            for name, clash in refusal.clashes.items():
                self.add_error(name, f"{refusal.product.updated_by} changed this to {_shown(clash.theirs)} meanwhile.")
            self.add_error(None, f"{refusal} Your entries are kept; save again to put yours in place of theirs.")
            self._adopt(refusal)
        elif isinstance(refusal, NameTaken):
            self.add_error("name", str(refusal))
        elif isinstance(refusal, ProductExists):
            self.add_error("product_id", str(refusal))
        else:
            self.add_error(None, f"{refusal} Nothing was saved; your entries are kept, so just save again.")

    def _adopt(self, conflict: EditConflict) -> None:
        """Go on from the newest version: a second save is meant. What the editor did not touch is taken over."""
        data: Any = self.data
        self.data = data = data.copy()
        newest = Product.of(conflict.product)
        for name in set(FIELDS) - set(conflict.edits):
            value = getattr(newest, name)
            shown = self.fields[name].prepare_value("" if value is None else value)
            data[self.add_prefix(name)] = str(shown)
        data[self.add_prefix("base_version")] = str(newest.version)

    def _post_clean(self) -> None:
        """Nothing is put into the instance: what is saved is what the catalogue accepts."""


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
