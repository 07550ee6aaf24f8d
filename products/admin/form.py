"""The product form. It knows shapes only: every rule and its sentence come from the core."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from products.admin.formatting import authors, shown
from products.admin.queryset import model_of
from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY
from products.errors import CatalogueError, Invalid, NameTaken, NotFound, ProductExists
from products.merging import EditConflict
from products.models import Product
from products.product import (
    LENGTHS,
    MAX_FEATURES,
    REQUIRED,
    BillingCycle,
    validated_edits,
    validated_id,
)

FIELDS = (
    "name",
    "description",
    "price",
    "renewal_price",
    "currency",
    "billing_cycle",
    "period",
    "features",
)


CODES = [*CURRENCY_SIGNS, *sorted(CURRENCIES - CURRENCY_SIGNS.keys())]  # those we sell in first
NO_BASE = "This form does not say from which version it was made, so it can't be saved; open the product anew."


class Typed(forms.CharField):
    """What was typed, as it was typed: whether it is right is the core's to say, in its own sentences."""

    def run_validators(self, value: Any) -> None:
        pass


class OnePerLine(Typed):
    """A list of texts, one on each line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 6, "cols": 60, "data-lines": MAX_FEATURES})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        # Not splitlines, which also cuts at characters a feature may hold, and so would change what nobody touched.
        return [
            line.strip() for line in (value or "").replace("\r", "\n").split("\n") if line.strip()
        ]


def _line(label: str, size: int, help_text: str = "") -> Typed:
    return Typed(
        label=label,
        required=False,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"size": size}),
    )


class ProductForm(forms.ModelForm):
    """``base_version`` is the version the editor started from, so that a save can merge with what others did since."""

    name = _line("Name", 60, "3 to 100 characters; no other product may have it.")
    description = Typed(
        label="Description",
        required=False,
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 4, "cols": 80, "maxlength": LENGTHS["description"][1]}
        ),
        help_text="10 to 500 characters.",
    )
    price = _line("Price", 12, "Due at purchase, e.g. 1500.00.")
    renewal_price = _line("Renewal price", 12, "Due each cycle; empty for a one-time product.")
    currency = Typed(
        initial=DEFAULT_CURRENCY,
        widget=UnfoldAdminSelectWidget(choices=[(code, code) for code in CODES]),
    )
    billing_cycle = Typed(
        widget=UnfoldAdminSelectWidget(
            choices=[(cycle.value, cycle.value.capitalize()) for cycle in BillingCycle]
        )
    )
    period = _line(
        "Period text", 40, "What customers read; leave empty to derive it from the prices."
    )
    features = OnePerLine(
        label="Features",
        required=False,
        help_text="At most 20, of 2 to 200 characters each; one per line.",
    )
    reason = _line(
        "Why", 60, "Optional; it stays with this change in the history and the audit trail."
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    refusal: CatalogueError | None = None

    class Meta:
        model = Product
        fields = ("product_id", *FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clashes: list[dict[str, str]] = []
        if "product_id" in self.fields:
            self.fields["product_id"] = _line(
                "ID", 40, "Letters, digits, - and _; leave empty to have one made."
            )
        for field in self.fields.keys() & set(REQUIRED):
            self.fields[field].required = True
        if not self.instance._state.adding:
            self.initial["base_version"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.instance._state.adding and cleaned.get("base_version") is None:
            self.add_error(
                None, NO_BASE
            )  # saving all the same could overwrite what others did since
        self._blame(
            lambda: validated_edits({k: v for k, v in self.edits.items() if k not in self.errors})
        )
        if cleaned.get("product_id"):
            self._blame(lambda: validated_id(cleaned["product_id"]))
        if self.refusal:
            self.show(self.refusal)
        return cleaned

    @property
    def edits(self) -> dict[str, Any]:
        """What was typed, by the core's names."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def _blame(self, check: Any) -> None:
        try:
            check()
        except Invalid as refusal:
            self.show(refusal)

    def show(self, refusal: CatalogueError) -> None:
        """The catalogue's sentence, at the field it is about."""
        if isinstance(refusal, Invalid):
            for field, sentences in refusal.errors.items():
                self.add_error(field if field in self.fields else None, sentences)
        elif isinstance(refusal, EditConflict):
            self._show_conflict(refusal)
        elif isinstance(refusal, NameTaken):
            self.add_error("name", str(refusal))
        elif isinstance(refusal, ProductExists):
            self.add_error("product_id", str(refusal))
        elif isinstance(refusal, NotFound):
            self.add_error(None, NO_BASE)
        else:
            self.add_error(None, f"{refusal} Your entries are kept; save again in a few seconds.")

    def _show_conflict(self, conflict: EditConflict) -> None:
        who = authors(conflict)
        for name, clash in conflict.clashes.items():
            self.add_error(name, f"{who[name]} changed this to {shown(clash.theirs)} meanwhile.")
            self.clashes.append(
                {"id": self[name].auto_id, "label": str(self[name].label), "who": who[name]}
                | {
                    whose: self._typed(name, value)
                    for whose, value in (
                        ("mine", clash.yours),
                        ("theirs", clash.theirs),
                        ("before", clash.base),
                    )
                }
            )
        sentence = f"Others saved up to version {conflict.product.version} meanwhile and changed what you changed."
        self.add_error(
            None, f"{sentence} Your entries are kept; save again to put yours in place of theirs."
        )
        self._adopt(conflict)

    def _adopt(self, conflict: EditConflict) -> None:
        """Go on from the newest version: a second save is meant. What the editor did not touch is taken over."""
        data: Any = self.data
        self.data = data = data.copy()
        newest = model_of(conflict.product)
        for name in set(FIELDS) - set(conflict.edits):
            data[self.add_prefix(name)] = self._typed(name, getattr(newest, name))
        data[self.add_prefix("base_version")] = str(newest.version)

    def _typed(self, name: str, value: Any) -> str:
        """The value as it stands in its field."""
        return str(self.fields[name].prepare_value("" if value is None else value))

    def _post_clean(self) -> None:
        """Nothing is put into the instance: what is saved is what the catalogue accepts."""
