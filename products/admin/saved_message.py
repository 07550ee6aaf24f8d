"""What staff read after saving a product: what was saved, and what it means for plans."""

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from products.admin.form import ProductForm
from products.admin.formatting import NOTHING_SAVED, field_label
from products.admin.plans.coming import edit_notes
from products.admin.receipt import undo_button
from products.bootstrap import catalogue
from products.changes import Change
from products.errors import CatalogueError
from products.merging import differences
from products.writes import Accepted

SAVED = gettext_lazy(
    "{product}: Saved as version {version}. Customers see it within a few seconds."
)
SAVED_INACTIVE = gettext_lazy(
    "{product}: Saved as version {version}. Customers do not see this product."
)


def plan_notes(form: ProductForm) -> Iterator[str]:
    """Yield what the save means for plans. The notes are left out if plans can't be read."""
    change = cast(Accepted, form.accepted).change
    if change is None or change.before is None:
        return
    with suppress(CatalogueError):
        yield from edit_notes(change)


def saved_message(form: ProductForm) -> str:
    """Return what was saved, with the button that undoes it."""
    accepted = cast(Accepted, form.accepted)
    product, change = accepted.product, accepted.change
    if change is None:
        return f"{product.name}: {NOTHING_SAVED}"
    text = str(SAVED if product.active else SAVED_INACTIVE)
    saved = text.format(product=product.name, version=product.version)
    merge_note = _merge_note(change, form.cleaned_data.get("base_version"))
    message = f"{saved} {merge_note}" if merge_note else saved
    return format_html("{} {}", message, undo_button(change)) if change.before else message


def _merge_note(change: Change, base: int | None) -> str:
    """Name what others had saved since the form was opened and this save has kept.

    The note is left out if their version can't be read, because the save itself is done.
    """
    previous = change.before
    if previous is None or base is None or previous.version <= base:
        return ""
    with suppress(CatalogueError):
        theirs = differences(catalogue().version(change.product_id, base), previous)
        fields = ", ".join(field_label(name) for name in theirs)
        note = gettext("Merged with what {actor} had saved meanwhile: {fields}.")
        return note.format(actor=previous.updated_by, fields=fields)
    return ""
