"""How the admin shows products and changes as text and HTML."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any, TypedDict

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy, ngettext

from products.access.profiles import NO_BREAK_SPACE, current_number_format
from products.bootstrap import catalogue, image_url
from products.changes import Change
from products.currency import CURRENCY_SIGNS, amount_text
from products.effects import effect_states
from products.errors import Unavailable
from products.merging import EditConflict, differences
from products.product import Product

HISTORY_PAGE_SIZE = 25
MAX_PAIRS = 4000
"""The most pairs of equal words for which a comparison is shown word by word."""
NOTHING_SAVED = gettext_lazy("Nothing was different, so nothing was saved.")
CHANGE_VERBS = {
    "CREATE": gettext_lazy("created"),
    "UPDATE": gettext_lazy("changed"),
    "DELETE": gettext_lazy("deactivated"),
    "RESTORE": gettext_lazy("restored"),
}
CHANGE_STATES = {
    "accepted": gettext_lazy("Saving…"),
    "stored": gettext_lazy("Publishing…"),
    "complete": gettext_lazy("Published"),
    "failed": gettext_lazy("Needs attention"),
}
"""How far a change has come, by its status."""
JOB_STATES = {
    "planning": gettext_lazy("being read"),
    "planned": gettext_lazy("not yet applied"),
    "running": gettext_lazy("running"),
    "done": gettext_lazy("done"),
    "cancelled": gettext_lazy("cancelled"),
}
PLAN_STATES = {
    "scheduled": gettext_lazy("coming up"),
    "starting": gettext_lazy("starting"),
    "running": gettext_lazy("running"),
    "ending": gettext_lazy("ending"),
    "ended": gettext_lazy("done"),
    "cancelled": gettext_lazy("cancelled"),
    "missed": gettext_lazy("missed"),
}
EFFECT_NAMES = {
    "stored": gettext_lazy("Saved"),
    "purged": gettext_lazy("On the website"),
    "searchable": gettext_lazy("In search"),
    "audited": gettext_lazy("In the audit trail"),
}
EFFECT_STATES = {
    "pending": gettext_lazy("not yet"),
    "retrying": gettext_lazy("tried again"),
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "discarded": gettext_lazy("given up"),
    "not configured": gettext_lazy("not used here"),
}
SOURCE_LABELS = {
    "admin": gettext_lazy("in the admin"),
    "api": gettext_lazy("through the API"),
    "bulk": gettext_lazy("in a bulk edit"),
    "csv": gettext_lazy("in an import"),
    "undo": gettext_lazy("undoing a bulk edit or import"),
    "command": gettext_lazy("by a command"),
    "plan": gettext_lazy("through a plan"),
}
FIELD_LABELS = {
    "product_id": gettext_lazy("ID"),
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "price": gettext_lazy("Price"),
    "renewal_price": gettext_lazy("Renewal price"),
    "currency": gettext_lazy("Currency"),
    "billing_cycle": gettext_lazy("Billing cycle"),
    "period": gettext_lazy("Price note"),
    "features": gettext_lazy("Features"),
    "active": gettext_lazy("On the website"),
    "image": gettext_lazy("Image"),
}
MAX_OLD_VALUE = 40  # characters of a value on a button
LINE_BREAK = mark_safe("<br>")  # a constant


class FieldDifference(TypedDict):
    """A field that differs between two versions, with the difference marked as HTML."""

    name: str
    label: str
    old: str
    marked: SafeString


class HistoryRow(TypedDict):
    """A change as the history page shows it; each effect with its state and time."""

    change: Change
    before: int
    verb: str
    source: str
    fields: list[FieldDifference]
    effects: list[tuple[str, str, datetime | None]]


def grouped(number: Decimal | int | str) -> str:
    """Return a number as the user writes it, with its thousands apart, such as "12 345,50"."""
    whole, point, fraction = str(number).partition(".")
    style = current_number_format.get()
    thousands = f"{int(whole):,}".replace(",", style.thousands)
    return f"{thousands}{style.decimal}{fraction}" if point else thousands


def grouped_money(amount: Decimal, currency: str) -> str:
    """Return an amount as tables show it: like ``money``, with its thousands apart."""
    is_whole = amount == amount.to_integral_value()
    digits = grouped(f"{abs(amount):.0f}" if is_whole else amount_text(abs(amount), currency))
    sign = CURRENCY_SIGNS.get(currency, f"{currency}{NO_BREAK_SPACE}")
    return f"{'-' if amount < 0 else ''}{sign}{digits}"


def counted(count: int) -> str:
    """Return how many products there are, such as "31 products"."""
    text = ngettext("{count} product", "{count} products", count)
    return text.format(count=grouped(count))


def field_label(field: str) -> str:
    """Return the label of a field of the core, such as "Renewal price"."""
    label = FIELD_LABELS.get(field)
    return str(label) if label else english_label(field)


def english_label(field: str) -> str:
    """Return the label for texts that are stored, and that have no reader yet."""
    return field.replace("_", " ").capitalize()


def format_value(value: object) -> str:
    """Return a value as text, with "(empty)" for no value."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None:
        return gettext("(empty)")
    text = "; ".join(value) if isinstance(value, tuple) else str(value)
    return text or gettext("(empty)")


def history_row(change: Change) -> HistoryRow:
    effects = [
        (effect, state["state"], state["at"]) for effect, state in effect_states(change).items()
    ]
    fields = field_differences(change.before, change.after) if change.before else []
    return {
        "change": change,
        "before": change.version - 1,
        "verb": str(CHANGE_VERBS[change.change_type]),
        "source": source_label(change.origin.source),
        "fields": fields,
        "effects": effects,
    }


def field_differences(before: Product, after: Product) -> list[FieldDifference]:
    """Return the fields that differ between two versions of a product."""
    return [
        {
            "name": name,
            "label": field_label(name),
            "old": _short_value(name, before, old),
            "marked": _marked(name, before, after, old, new),
        }
        for name, (old, new) in differences(before, after).items()
    ]


def in_a_row(texts: Sequence[str]) -> str:
    """Return texts in a sentence, such as "price and renewal price"."""
    if len(texts) < 2:
        return "".join(texts)
    return gettext("{first} and {last}").format(first=", ".join(texts[:-1]), last=texts[-1])


def source_label(source: str) -> str:
    """Return where a change was made, such as "in a bulk edit"."""
    return str(SOURCE_LABELS.get(source, source))


def _short_value(name: str, product: Product, value: Any) -> str:
    """Return the value if it is short enough for a button, else nothing."""
    if name in {"description", "features", "image"}:
        return ""
    if name in {"price", "renewal_price"} and value is not None:
        return grouped_money(value, product.currency)
    text = format_value(value)
    return text if len(text) <= MAX_OLD_VALUE else ""


def _marked(name: str, before: Product, after: Product, old: Any, new: Any) -> SafeString:
    """Mark what was removed and added: texts word by word, lists entry by entry."""
    if name == "description":
        return _marked_parts(_words(old), _words(new), separator="")
    if name == "features":
        return _marked_parts(list(old), list(new), separator=LINE_BREAK)
    if name == "image":
        return _replaced(_thumbnail(old), _thumbnail(new))
    if name in {"price", "renewal_price"}:
        old = grouped_money(old, before.currency) if old is not None else None
        new = grouped_money(new, after.currency) if new is not None else None
    return _replaced(format_value(old), format_value(new))


def _words(text: str) -> list[str]:
    """Return the words and the white space between them."""
    return re.findall(r"\s+|\S+", text)


def _replaced(old: str, new: str) -> SafeString:
    return format_html("<del>{}</del> → <ins>{}</ins>", old, new)


def _thumbnail(key: str | None) -> SafeString:
    if not key:
        return format_html("{}", gettext("none"))
    alternative = gettext("an image")
    return format_html('<img class="thumb" src="{}" alt="{}">', image_url(key), alternative)


def _marked_parts(old: Sequence[str], new: Sequence[str], separator: str) -> SafeString:
    if _pairs(old, new) > MAX_PAIRS:
        return _replaced(separator.join(old), separator.join(new))
    marked: list[SafeString] = []
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        removed, added = old[old_start:old_end], new[new_start:new_end]
        if kind == "equal":
            marked += [format_html("{}", part) for part in removed]
            continue
        if removed:
            marked.append(format_html("<del>{}</del>", _joined(separator, removed)))
        if added:
            marked.append(format_html("<ins>{}</ins>", _joined(separator, added)))
    return _joined(separator, marked)


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many pairs of equal parts there are: the work of comparing grows with them."""
    counts = Counter(new)
    return sum(counts[part] * count for part, count in Counter(old).items())


def _joined(separator: str, parts: Sequence[str]) -> SafeString:
    return format_html_join(separator, "{}", ((part,) for part in parts))


def last_authors(conflict: EditConflict) -> dict[str, str]:
    """Return by field in conflict who changed it last.

    This need not be the author of the newest version, who may have changed other fields. That
    author is the guess while DynamoDB is unavailable: the error must not lose the user's entries.
    """
    newest = conflict.product
    authors = dict.fromkeys(conflict.clashes, newest.updated_by)
    with suppress(Unavailable):
        changes = catalogue().history(
            newest.product_id, before=newest.version + 1, limit=HISTORY_PAGE_SIZE
        )
        for change in reversed(changes):
            touched = authors.keys() & differences(change.before, change.after).keys()
            authors |= dict.fromkeys(touched, change.origin.actor)
    return authors
