"""The entries of a product's history as HTML, made without templates: a page has 25 of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from products.admin.base import product_url
from products.admin.formatting import FieldDifference, HistoryRow, history_row
from products.changes import Change

ENTRY = (
    '<li id="v{version}"><div class="version-choice">'
    '<input type="radio" name="from" value="{version}"'
    ' aria-label="Compare from version {version}"{from_checked}> '
    '<input type="radio" name="to" value="{version}"'
    ' aria-label="Compare to version {version}"{to_checked}></div>'
    '<div class="version"><p><b>v{version}</b> {verb} by <b>{actor}</b> {source}, {time} '
    '<span class="state" data-state="{status}">{status}</span>{compare}</p>'
    "{reason}{differences}{undo}"
    '<div class="effects">{effects}<details class="request"><summary>Details</summary>'
    "Request {request_id}</details></div></div></li>"
)
COMPARE = (
    ' <a class="compare-link" href="?from={version}&amp;to={newest}#comparison">'
    "Compare with v{newest}</a>"
)
REASON = '<p class="reason">Reason: {}</p>'
DIFFERENCE = '<div class="difference"><b>{label}</b><div>{marked}</div>{restore}</div>'
RESTORE = (
    '<button type="submit" form="restore-form" name="field" value="{name}" formaction="{url}"'
    ' class="secondary-button">Restore {what}<span class="sr-only"> as the {label} before version'
    " {version}</span></button>"
)
UNDO = (
    '<p class="entry-actions"><button type="submit" form="undo-form" formaction="{url}"'
    ' class="secondary-button">Undo this change<span class="sr-only"> (version {version})</span>'
    "</button></p>"
)
EFFECT = '<span class="effect" data-step="{state}" title="{effect}: {state}{at}">{effect}</span>'
TIME = '<time datetime="{at}" title="{text}:{seconds} {zone}">{text}</time>'
CHECKED = " checked"


def time_html(at: datetime) -> SafeString:
    """Return a time for people, with its seconds and its zone in the title."""
    local = localtime(at)
    text = date_format(local, "DATETIME_FORMAT")
    html = TIME.format(at=local.isoformat(), text=text, seconds=f"{local:%S}", zone=local.tzname())
    return mark_safe(html)  # noqa: S308 # nothing in it was typed by anybody


@dataclass(frozen=True)
class TimelineRenderer:
    """Renders the entries of one product's history, of which ``newest`` is the newest version."""

    product_id: str
    newest: int
    may_change: bool

    @cached_property
    def _address(self) -> str:
        return product_url("history", self.product_id).removesuffix("history/")

    def render(self, changes: Sequence[Change]) -> SafeString:
        """Return the entries. The newest two are chosen to be compared."""
        chosen = changes[min(1, len(changes) - 1)].version if changes else 0
        entries = (
            self._entry(
                history_row(change), is_first=number == 0, is_chosen=change.version == chosen
            )
            for number, change in enumerate(changes)
        )
        return mark_safe("".join(entries))  # noqa: S308 # every value is escaped

    def _entry(self, row: HistoryRow, *, is_first: bool, is_chosen: bool) -> str:
        change = row["change"]
        origin, version = change.origin, change.version
        compare = COMPARE.format(version=version, newest=self.newest)
        return ENTRY.format(
            version=version,
            from_checked=CHECKED if is_chosen else "",
            to_checked=CHECKED if is_first else "",
            verb=row["verb"],
            actor=escape(origin.actor),
            source=escape(row["source"]),
            time=time_html(change.accepted_at),
            status=change.status,
            compare=compare if version != self.newest else "",
            reason=REASON.format(escape(origin.reason)) if origin.reason else "",
            differences="".join(self._difference(row, field) for field in row["fields"]),
            undo=self._undo(row),
            effects="".join(_effect(*effect) for effect in row["effects"]),
            request_id=escape(origin.request_id),
        )

    def _difference(self, row: HistoryRow, field: FieldDifference) -> str:
        version = row["change"].version
        restore = ""
        if self.may_change and version > 1:
            label = field["label"].lower()
            restore = RESTORE.format(
                name=field["name"],
                url=f"{self._address}restore/{row['before']}/",
                what=escape(field["old"]) if field["old"] else f"the {label} before this",
                label=label,
                version=version,
            )
        return DIFFERENCE.format(label=field["label"], marked=field["marked"], restore=restore)

    def _undo(self, row: HistoryRow) -> str:
        if not (self.may_change and row["fields"]):
            return ""
        version = row["change"].version
        return UNDO.format(url=f"{self._address}undo/{version}/", version=version)


def _effect(effect: str, state: str, at: datetime | None) -> str:
    time = f" {localtime(at):%H:%M:%S}" if at else ""
    return EFFECT.format(effect=effect, state=state, at=time)
