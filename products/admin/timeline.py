"""The entries of a product's history as HTML, made without templates: a page has 25 of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext

from products.admin.base import product_url
from products.admin.formatting import (
    CHANGE_STATES,
    EFFECT_NAMES,
    EFFECT_STATES,
    FieldDifference,
    HistoryRow,
    history_row,
)
from products.admin.sentences.finding import reason_in_words
from products.changes import Change

ENTRY = (
    '<li id="v{version}"><div class="version-choice">'
    '<input type="radio" name="from" value="{version}"'
    ' aria-label="{from_label}"{from_checked}> '
    '<input type="radio" name="to" value="{version}"'
    ' aria-label="{to_label}"{to_checked}></div>'
    '<div class="version"><p>{what}, {time} '
    '<span class="state" data-state="{status}">{status_text}</span>{compare}</p>'
    "{reason}{differences}{undo}"
    '<div class="effects">{effects}<details class="request"><summary>{details}</summary>'
    "{request}</details></div></div></li>"
)
COMPARE = ' <a class="compare-link" href="?from={version}&amp;to={newest}#comparison">{text}</a>'
REASON = '<p class="reason">{}</p>'
DIFFERENCE = '<div class="difference"><b>{label}</b><div>{marked}</div>{restore}</div>'
RESTORE = (
    '<button type="submit" form="restore-form" name="field" value="{name}" formaction="{url}"'
    ' class="secondary-button" aria-label="{name_for_readers}">{text}</button>'
)
UNDO = (
    '<p class="entry-actions"><button type="submit" form="undo-form" formaction="{url}"'
    ' class="secondary-button" aria-label="{name_for_readers}">{text}</button></p>'
)
EFFECT = (
    '<span class="effect" data-step="{state}" title="{effect}: {state_text}{at}">{effect}</span>'
)
TIME = '<time datetime="{at}" title="{text}:{seconds} {zone}">{text}</time>'
CHECKED = " checked"


def time_html(at: datetime) -> SafeString:
    """Return a time for people, with its seconds and its zone in the title."""
    local = localtime(at)
    text = date_format(local, "DATETIME_FORMAT")
    html = TIME.format(at=local.isoformat(), text=text, seconds=f"{local:%S}", zone=local.tzname())
    return mark_safe(html)  # noqa: S308 # nothing in it was typed by anybody


class TimelineTexts(NamedTuple):
    """The texts of all entries, in the language of the page. The values in them are HTML."""

    states: dict[str, str]
    effects: dict[str, str]
    effect_states: dict[str, str]
    entry: str
    compare_from: str
    compare_to: str
    compare_with: str
    details: str
    request: str
    reason: str
    restore_value: str
    restore_field: str
    restore_named: str
    undo: str
    undo_named: str


def timeline_texts() -> TimelineTexts:
    """Return the texts, translated once for a page."""
    texts = (
        gettext("{version} {verb} by {actor}, {source}"),
        gettext("Compare from version {version}"),
        gettext("Compare to version {version}"),
        gettext("Compare with v{version}"),
        gettext("Details"),
        gettext("Request {request_id}"),
        gettext("Reason: {reason}"),
        gettext("Restore {value}"),
        gettext("Restore the {field} before this"),
        gettext("{restore}: the {field} before version {version}"),
        gettext("Undo this change"),
        gettext("Undo this change: version {version}"),
    )
    return TimelineTexts(
        _escaped(CHANGE_STATES),
        _escaped(EFFECT_NAMES),
        _escaped(EFFECT_STATES),
        *map(escape, texts),
    )


def _escaped(table: Mapping[str, object]) -> dict[str, str]:
    return {name: escape(text) for name, text in table.items()}


@dataclass(frozen=True)
class TimelineRenderer:
    """Renders the entries of one product's history, of which ``newest`` is the newest version."""

    product_id: str
    newest: int
    may_change: bool

    @cached_property
    def _texts(self) -> TimelineTexts:
        return timeline_texts()

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
        change, texts = row["change"], self._texts
        origin, version = change.origin, change.version
        what = texts.entry.format(
            version=f"<b>v{version}</b>",
            verb=row["verb"],
            actor=f"<b>{escape(origin.actor)}</b>",
            source=escape(row["source"]),
        )
        return ENTRY.format(
            version=version,
            from_checked=CHECKED if is_chosen else "",
            to_checked=CHECKED if is_first else "",
            from_label=texts.compare_from.format(version=version),
            to_label=texts.compare_to.format(version=version),
            what=what,
            time=time_html(change.accepted_at),
            status=change.status,
            status_text=texts.states[change.status],
            compare=self._compare(version),
            reason=self._reason(origin.reason),
            differences="".join(self._difference(row, field) for field in row["fields"]),
            undo=self._undo(row),
            effects="".join(_effect(*effect, texts) for effect in row["effects"]),
            details=texts.details,
            request=texts.request.format(request_id=escape(origin.request_id)),
        )

    def _compare(self, version: int) -> str:
        if version == self.newest:
            return ""
        text = self._texts.compare_with.format(version=self.newest)
        return COMPARE.format(version=version, newest=self.newest, text=text)

    def _reason(self, reason: str) -> str:
        if not reason:
            return ""
        return REASON.format(self._texts.reason.format(reason=escape(reason_in_words(reason))))

    def _difference(self, row: HistoryRow, field: FieldDifference) -> str:
        version = row["change"].version
        restore = ""
        if self.may_change and version > 1:
            texts, label = self._texts, escape(field["label"].lower())
            text = (texts.restore_value if field["old"] else texts.restore_field).format(
                value=escape(field["old"]), field=label
            )
            named = texts.restore_named.format(restore=text, field=label, version=version)
            restore = RESTORE.format(
                name=field["name"],
                url=f"{self._address}restore/{row['before']}/",
                name_for_readers=named,
                text=text,
            )
        return DIFFERENCE.format(label=field["label"], marked=field["marked"], restore=restore)

    def _undo(self, row: HistoryRow) -> str:
        if not (self.may_change and row["fields"]):
            return ""
        version, texts = row["change"].version, self._texts
        return UNDO.format(
            url=f"{self._address}undo/{version}/",
            name_for_readers=texts.undo_named.format(version=version),
            text=texts.undo,
        )


def _effect(effect: str, state: str, at: datetime | None, texts: TimelineTexts) -> str:
    return EFFECT.format(
        effect=texts.effects[effect],
        state=state,
        state_text=texts.effect_states[state],
        at=f" {localtime(at):%H:%M:%S}" if at else "",
    )
