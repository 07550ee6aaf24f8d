"""The product form. It knows shapes only: every rule and its sentence come from the core."""

from base64 import b64encode
from typing import TypedDict, cast

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from products import product as core
from products.admin.entries import FIELDS, ProductEntries
from products.admin.formatting import format_value, grouped_money, in_a_row, last_authors
from products.admin.images import MAX_SIZE, store_image, validated_image
from products.admin.queryset import model_of
from products.admin.sentences.finding import in_words, refusal_text, sentences_in_words
from products.admin.staff_writes import StaffWrites
from products.admin.widgets import QuietErrorList
from products.amounts import ANY_NOTATION
from products.bootstrap import new_id
from products.currency import DEFAULT_CURRENCY
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
    REQUIRED,
    validated_edits,
)
from products.writes import Accepted

AMOUNTS = ("price", "renewal_price")
ONLY_WHEN_ADDING = ("product_id", "active", "image")
NO_BASE_VERSION = gettext_lazy(
    "This form does not say which version it was made from, so it can't be saved. "
    "Please open the product again."
)


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


class ProductForm(ProductEntries):
    """The product form. Validating its entries has the catalogue accept or refuse them.

    ``writes`` makes the write; with ``dry_run`` nothing is written, and without ``writes`` the
    catalogue is not asked. ``product_id`` is the product to change, None to create one.
    ``base_version`` is the version the user started from. With it, a save merges with the changes
    that others have saved since.
    """

    accepted: Accepted | None = None
    """What the catalogue accepted, once valid entries were cleaned."""

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

    @property
    def kept_image(self) -> str:
        """The image that was sent, as a URL with its data: a browser sends a file only once."""
        image = self.cleaned_data.get("image") if self.is_bound else None
        return f"data:image/webp;base64,{b64encode(image).decode()}" if image else ""

    def clean_product_id(self) -> str | None:
        """Return the chosen ID, or None to have one made."""
        chosen = self.cleaned_data["product_id"]
        try:
            return validated_id(chosen) if chosen else None
        except Invalid as refusal:
            raise ValidationError(sentences_in_words(refusal.errors["product_id"])) from refusal

    def clean_image(self) -> bytes | None:
        """Return the image as it will be stored, or None without one."""
        file = self.cleaned_data["image"]
        try:
            return validated_image(file.read(MAX_SIZE + 1)) if file else None
        except Invalid as refusal:
            raise ValidationError(sentences_in_words(refusal.errors["image"])) from refusal

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
            self.add_error(name, in_words(str(refusal)))
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
                name = field if field in self.fields else None
                self.add_error(name, sentences_in_words(sentences))
        elif isinstance(refusal, EditConflict):
            self._add_conflict(refusal)
        elif isinstance(refusal, NameTaken):
            self.add_error("name", refusal_text(refusal))
        elif isinstance(refusal, ProductExists):
            self.add_error("product_id", refusal_text(refusal))
        elif isinstance(refusal, NotFound):
            self.add_error(None, NO_BASE_VERSION)
        else:
            text = gettext("{fault} Your entries are kept; save again in a few seconds.")
            self.add_error(None, text.format(fault=refusal_text(refusal)))

    def _add_conflict(self, conflict: EditConflict) -> None:
        """Show both values of each field in conflict, and make the next save replace theirs."""
        authors = last_authors(conflict)
        for name, clash in conflict.clashes.items():
            theirs = format_value(clash.theirs)
            text = gettext("{actor} changed this to {value} meanwhile.")
            self.add_error(name, text.format(actor=authors[name], value=theirs))
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
        text = gettext(
            "{people} saved while you were editing and changed the same fields. "
            "Your entries are kept; save again to put yours in place of theirs."
        )
        self.add_error(None, text.format(people=in_a_row(sorted(set(authors.values())))))
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
