"""How the admin puts products and changes into words."""

import re
from contextlib import suppress
from difflib import SequenceMatcher
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from products.bootstrap import catalogue, image_url
from products.changes import Change
from products.currency import money
from products.errors import Unavailable
from products.merging import EditConflict, differences
from products.pipeline import effect_states
from products.product import Product

MAX_HISTORY = 25


def label(field: str) -> str:
    return field.replace("_", " ").capitalize()


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        "; ".join(value) if isinstance(value, tuple) else str("" if value is None else value)
    ) or "(empty)"


WHAT = {"CREATE": "created", "UPDATE": "changed", "DELETE": "deactivated", "RESTORE": "restored"}


def history_row(change: Change) -> dict[str, Any]:
    effects = [
        (effect, state["state"], state["at"]) for effect, state in effect_states(change).items()
    ]
    fields = compared(change.before, change.after) if change.before else []
    return {
        "change": change,
        "what": WHAT[change.change_type],
        "fields": fields,
        "effects": effects,
    }


def compared(before: Product, after: Product) -> list[dict[str, Any]]:
    """The fields that differ between two versions of a product, with the difference marked."""
    return [
        {
            "name": name,
            "label": label(name),
            "marked": marked(name, old, new, before.currency, after.currency),
        }
        for name, (old, new) in differences(before, after).items()
    ]


def marked(name: str, old: Any, new: Any, old_currency: str, new_currency: str) -> SafeString:
    """What was taken away and what was put in its place; texts word by word, lists entry by entry."""
    if name == "description":
        return _marked_parts(re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new), "")
    if name == "features":
        return _marked_parts(list(old), list(new), mark_safe("<br>"))  # a constant
    if name == "image":
        return format_html("<del>{}</del> → <ins>{}</ins>", _picture(old), _picture(new))
    if name in {"price", "renewal_price"}:
        old = money(old, old_currency) if old is not None else None
        new = money(new, new_currency) if new is not None else None
    return format_html("<del>{}</del> → <ins>{}</ins>", shown(old), shown(new))


def _picture(key: str | None) -> SafeString:
    return (
        format_html('<img class="thumb" src="{}" alt="an image">', image_url(key))
        if key
        else format_html("{}", "none")
    )


def _marked_parts(old: list[str], new: list[str], glue: str) -> SafeString:
    found: list[tuple[SafeString]] = []
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [(format_html("{}", part),) for part in old[i:j]]
            continue
        if old[i:j]:
            found.append(
                (
                    format_html(
                        "<del>{}</del>", format_html_join(glue, "{}", ((p,) for p in old[i:j]))
                    ),
                )
            )
        if new[k:m]:
            found.append(
                (
                    format_html(
                        "<ins>{}</ins>", format_html_join(glue, "{}", ((p,) for p in new[k:m]))
                    ),
                )
            )
    return format_html_join(glue, "{}", found)


def authors(conflict: EditConflict) -> dict[str, str]:
    """Who changed each clashing field last. It need not be who saved the newest version, which may differ elsewhere."""
    newest = conflict.product
    found = dict.fromkeys(conflict.clashes, newest.updated_by)
    with suppress(Unavailable):  # then the guess must do: losing what was typed would be worse
        for change in reversed(
            catalogue().history(newest.product_id, before=newest.version + 1, limit=MAX_HISTORY)
        ):
            touched = found.keys() & differences(change.before, change.after).keys()
            found |= dict.fromkeys(touched, change.origin.actor)
    return found
