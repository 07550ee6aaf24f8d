"""The product form. It knows shapes only: every rule and its sentence come from the core."""

from typing import TypedDict, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from unfold.widgets import UnfoldBooleanWidget

from products import product as core
from products.admin.form_fields import LinesField, RawCharField, length_hint, line_field
from products.admin.formatting import format_value, grouped_money, last_authors
from products.admin.images import MAX_SIZE, store_image, validated_image
from products.admin.queryset import model_of
from products.admin.staff_writes import StaffWrites
from products.admin.widgets import QuietErrorList, SelectWidget, TextareaWidget
from products.amounts import ANY_NOTATION
from products.bootstrap import new_id
from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY
from products.errors import (
    CatalogueError,
    Invalid,
    NameTaken,
    NotAllowed,
    NotFound,
    ProductExists,
    ProductNotFound,
)
from products.identifiers import validated_id
from products.merging import EditConflict
from products.models import Product
from products.product import (
    LENGTHS,
    MAX_FEATURES,
    REQUIRED,
    BillingCycle,
    validated_edits,
)
from products.writes import Accepted

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
AMOUNTS = ("price", "renewal_price")
ONLY_WHEN_ADDING = ("product_id", "active", "image")
CODES = [*CURRENCY_SIGNS, *sorted(CURRENCIES - CURRENCY_SIGNS.keys())]
"""All currency codes; those with a sign, in which we sell, come first."""

NO_BASE_VERSION = (
    "This form does not say which version it was made from, so it can't be saved. "
    "Please open the product again."
)
ENTRIES_KEPT = "Your entries are kept; save again in a few seconds."


class FieldConflict(TypedDict):
    """One field that two people changed, with the three values as form entries."""

    id: str
    label: str
    who: str
    mine: str
    theirs: str
    before: str


def editable_model_of(product: core.Product) -> Product:
    """Return the model for a form. A price note that is derived is not an entry of anybody."""
    model = model_of(product)
    model.period = product.period or ""
    return model


class ProductForm(forms.ModelForm):
    """The product form. Validating its entries has the catalogue accept or refuse them.

    ``writes`` makes the write; with ``dry_run`` nothing is written, and without ``writes`` the
    catalogue is not asked. ``product_id`` is the product to change, None to create one.
    ``base_version`` is the version the user started from. With it, a save merges with the changes
    that others have saved since.
    """

    product_id = line_field(
        "ID", 40, "Part of the product's address: letters, digits, - and _. It can't be changed."
    )
    active = forms.BooleanField(
        label="Visible to customers",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget(),
        help_text="Without it the product is saved as a draft, and only staff see it.",
    )
    image = forms.FileField(required=False, widget=forms.FileInput)
    name = line_field("Name", 60, f"{length_hint('name')}; no other product may have it.")
    description = RawCharField(
        label="Description",
        required=False,
        widget=TextareaWidget(
            attrs={"rows": 4, "cols": 80, "maxlength": LENGTHS["description"][1]}
        ),
        help_text=f"{length_hint('description')}.",
    )
    price = line_field("Price", 12, "Due at purchase, such as 1500.00 or 1 500,00.")
    renewal_price = line_field("Renewal price", 12, "Due each cycle; empty for a one-time product.")
    currency = RawCharField(
        initial=DEFAULT_CURRENCY,
        widget=SelectWidget(choices=[(code, code) for code in CODES]),
    )
    billing_cycle = RawCharField(
        widget=SelectWidget(
            choices=[(cycle.value, cycle.value.capitalize()) for cycle in BillingCycle]
        )
    )
    period = line_field("Price note", 40, "Replaces the automatic text, which the empty box shows.")
    features = LinesField(
        label="Features",
        required=False,
        help_text=f"At most {MAX_FEATURES}, of {length_hint('feature')} each; one per line.",
    )
    reason = line_field(
        "Reason (optional)", 60, "Kept with this change in the history and the audit trail."
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    accepted: Accepted | None = None
    """What the catalogue accepted, once valid entries were cleaned."""

    class Meta:
        model = Product
        fields = ("product_id", *FIELDS)

    def __init__(
        self,
        *args: object,
        writes: StaffWrites | None = None,
        product_id: str | None = None,
        dry_run: bool = False,
        **kwargs: object,
    ) -> None:
        kwargs.setdefault("error_class", QuietErrorList)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # passed on as they are
        self.writes = writes
        self.edited_id = product_id
        self.dry_run = dry_run
        self.conflicts: list[FieldConflict] = []
        self.understood: dict[str, str] = {}
        for field in REQUIRED:
            self.fields[field].required = True
        if product_id is not None:
            for field in ONLY_WHEN_ADDING:
                del self.fields[field]
            self.initial["base_version"] = self.instance.version

    @property
    def edits(self) -> dict[str, object]:
        """The entries by the core's field names."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def clean_product_id(self) -> str | None:
        """Return the chosen ID, or None to have one made."""
        chosen = self.cleaned_data["product_id"]
        try:
            return validated_id(chosen) if chosen else None
        except Invalid as refusal:
            raise ValidationError(refusal.errors["product_id"]) from refusal

    def clean_image(self) -> bytes | None:
        """Return the image as it will be stored, or None without one."""
        file = self.cleaned_data["image"]
        try:
            return validated_image(file.read(MAX_SIZE + 1)) if file else None
        except Invalid as refusal:
            raise ValidationError(refusal.errors["image"]) from refusal

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        for name in AMOUNTS:
            self._read_amount(name)
        if self.edited_id is not None and cleaned.get("base_version") is None:
            # Without it the save could overwrite what others have saved since.
            self.add_error(None, NO_BASE_VERSION)
        return cleaned

    def _read_amount(self, name: str) -> None:
        """Replace the typed text of an amount with the amount; ``understood`` shows it."""
        text = self.cleaned_data.get(name)
        if not text:
            return
        currency = self.cleaned_data.get("currency")
        try:
            amount = ANY_NOTATION.read_in(text, currency)
        except ValueError as refusal:
            self.add_error(name, str(refusal))
            return
        self.cleaned_data[name] = amount
        if text != f"{amount:.2f}":
            self.understood[name] = grouped_money(amount, currency or DEFAULT_CURRENCY)

    def _post_clean(self) -> None:
        """Save: ask the catalogue for the write, where other model forms ask their model.

        Entries that can't be sent are only compared with the rules, to show all errors together.
        """
        try:
            if self.errors or self.writes is None:
                validated_edits(self.edits)
            else:
                self.accepted = self._write(self.writes)
                self.instance = model_of(self.accepted.product)
        except (NotAllowed, ProductNotFound):
            raise  # these are not about the entries
        except CatalogueError as refusal:
            self.add_refusal(refusal)

    def _write(self, writes: StaffWrites) -> Accepted:
        reason, dry_run = self.cleaned_data["reason"], self.dry_run
        if self.edited_id is None:
            return self._create(writes, reason)
        base = self.cleaned_data["base_version"]
        return writes.update(self.edited_id, self.edits, base=base, reason=reason, dry_run=dry_run)

    def _create(self, writes: StaffWrites, reason: str) -> Accepted:
        """Create the product. Its image is uploaded once everything else is known to be valid."""
        product_id = self.cleaned_data["product_id"] or f"prod_{new_id()}"
        edits = {**self.edits, "active": self.cleaned_data["active"]}
        image = self.cleaned_data["image"]
        if self.dry_run or image:
            accepted = writes.create(product_id, edits, reason=reason, dry_run=True)
            if self.dry_run:
                return accepted
            edits["image"] = store_image(product_id, image)
        return writes.create(product_id, edits, reason=reason)

    def add_refusal(self, refusal: CatalogueError) -> None:
        """Add the catalogue's sentence as an error of the field that it is about."""
        if isinstance(refusal, Invalid):
            for field, sentences in refusal.errors.items():
                self.add_error(field if field in self.fields else None, sentences)
        elif isinstance(refusal, EditConflict):
            self._add_conflict(refusal)
        elif isinstance(refusal, NameTaken):
            self.add_error("name", str(refusal))
        elif isinstance(refusal, ProductExists):
            self.add_error("product_id", str(refusal))
        elif isinstance(refusal, NotFound):
            self.add_error(None, NO_BASE_VERSION)
        else:
            self.add_error(None, f"{refusal} {ENTRIES_KEPT}")

    def _add_conflict(self, conflict: EditConflict) -> None:
        """Show both values of each field in conflict, and make the next save replace theirs."""
        authors = last_authors(conflict)
        for name, clash in conflict.clashes.items():
            theirs = format_value(clash.theirs)
            self.add_error(name, f"{authors[name]} changed this to {theirs} meanwhile.")
            self.conflicts.append(
                {
                    "id": self[name].auto_id,
                    "label": str(self[name].label),
                    "who": authors[name],
                    "mine": self._entry(name, clash.yours),
                    "theirs": self._entry(name, clash.theirs),
                    "before": self._entry(name, clash.base),
                }
            )
        people = " and ".join(sorted(set(authors.values())))
        self.add_error(
            None,
            f"{people} saved while you were editing and changed the same fields. "
            "Your entries are kept; save again to put yours in place of theirs.",
        )
        self._rebase(conflict)

    def _rebase(self, conflict: EditConflict) -> None:
        """Make the newest version the base, and take over what the user did not edit."""
        data = cast(QueryDict, self.data).copy()
        newest = editable_model_of(conflict.product)
        for name in set(FIELDS) - set(conflict.edits):
            data[self.add_prefix(name)] = self._entry(name, getattr(newest, name))
        data[self.add_prefix("base_version")] = str(newest.version)
        self.data = data

    def _entry(self, name: str, value: object) -> str:
        """Return the value as the text of its form field."""
        return str(self.fields[name].prepare_value("" if value is None else value))
