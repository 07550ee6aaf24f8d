"""How the admin puts products and changes into words."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from products.bootstrap import catalogue
from products.changes import Change, EditConflict, differences
from products.pipeline import states
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


def way_of(change: Change) -> SafeString:
    """Each effect of the change with its time, or why it is still open."""
    head = f"Version {change.version}, accepted {moment_shown(change.accepted_at)} from {change.origin.actor}"
    rows = ((effect.capitalize(), _state(state)) for effect, state in states(change).items())
    return format_html("{}{}", head, format_html_join("", "<br><b>{}</b>: {}", rows))


def _state(state: dict[str, Any]) -> str:
    text = moment_shown(state["at"]) if state["at"] else state["state"]
    return f"{text} - {state['error']} (tried {state['attempts']} times)" if "error" in state else text


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
