"""How the admin puts products and changes into words."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from products.bootstrap import catalogue
from products.changes import Change, EditConflict, differences
from products.product import TryLater

HISTORY_MOST = 50


def label(field: str) -> str:
    return field.replace("_", " ").capitalize()


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ("; ".join(value) if isinstance(value, tuple) else str("" if value is None else value)) or "(empty)"


def moment_shown(moment: datetime) -> str:
    return f"{moment:%d %b %Y %H:%M:%S} UTC"


def history_row(change: Change) -> dict[str, Any]:
    changed = differences(change.before, change.after).items()
    fields = [(label(name), shown(before), shown(after)) for name, (before, after) in changed]
    return {"change": change, "fields": fields, "status": change.status}


def authors(conflict: EditConflict) -> dict[str, str]:
    """Who changed each clashing field last. It need not be who saved the newest version, which may differ elsewhere."""
    newest = conflict.product
    found = dict.fromkeys(conflict.clashes, newest.updated_by)
    with suppress(TryLater):  # then the guess must do: losing what was typed would be worse
        for change in reversed(catalogue().history(newest.product_id, before=newest.version + 1, limit=HISTORY_MOST)):
            touched = found.keys() & differences(change.before, change.after).keys()
            found |= dict.fromkeys(touched, change.origin.actor)
    return found
