"""The rows of a bulk edit as a table: before, after, and the change in money and percent."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from textwrap import shorten
from typing import Any, TypedDict

from django.utils.translation import gettext, gettext_lazy

from products.admin.formatting import counted, field_label, format_value, grouped, grouped_money
from products.admin.sentences.finding import in_words
from products.bootstrap import jobs
from products.bulk.clashes import LEFT_OUT
from products.bulk.job import Job, JobKind, JobState
from products.bulk.price_changes import (
    PRICE_FIELDS,
    PriceChange,
    Total,
    totals,
    unusual_numbers,
)
from products.bulk.rows import FieldChanges, Row, RowState

MAX_TEXT = 80  # characters of a text
NOTHING = gettext_lazy("(none)")
STATUS = {True: gettext_lazy("on the website"), False: gettext_lazy("not on the website")}


class PreviewLine(TypedDict):
    """One field of a row."""

    label: str
    before: str
    after: str
    change: str


class PreviewRow(TypedDict):
    row: Row
    lines: list[PreviewLine]
    is_unusual: bool
    is_left_out: bool
    may_choose: bool


class Preview(TypedDict):
    """The table, with what to check before it is applied."""

    rows: list[PreviewRow]
    totals: list[PreviewLine]
    currencies: list[str]
    unusual: int
    leaving: int


def bulk_preview(job: Job, shown: Sequence[Row]) -> Preview | None:
    """Return the table of a bulk edit or an undo, None for an import."""
    if job.kind == JobKind.CSV:
        return None
    rows = list(jobs().rows(job))
    unusual = unusual_numbers(rows)
    sums = totals(rows)
    return {
        "rows": [_preview_row(row, is_unusual=row.number in unusual) for row in shown],
        "totals": [_total_line(total) for total in sums],
        "currencies": [f"{total.currency} ({total.products})" for total in sums],
        "unusual": len(unusual),
        "leaving": sum(_leaves_the_website(row) for row in rows),
    }


def unusual_rows(job: Job) -> frozenset[int]:
    """Return the numbers of an import's rows whose prices change unusually, while it is planned."""
    if job.kind != JobKind.CSV or job.state != JobState.PLANNED:
        return frozenset()
    waiting = [row for row in jobs().rows(job) if row.state == RowState.WAITING]
    return unusual_numbers(waiting)


def _leaves_the_website(row: Row) -> bool:
    return row.state == RowState.WAITING and row.changed.get("active") == (True, False)


def _preview_row(row: Row, *, is_unusual: bool) -> PreviewRow:
    is_left_out = row.state == RowState.SKIPPED and row.message == LEFT_OUT
    return {
        "row": row_in_words(row),
        "lines": change_lines(row.changed, row.currency),
        "is_unusual": is_unusual,
        "is_left_out": is_left_out,
        "may_choose": is_left_out or row.state == RowState.WAITING,
    }


def row_in_words(row: Row) -> Row:
    """Return the row with the core's sentences in the reader's language."""
    if not (row.message or row.note):
        return row
    return replace(row, message=in_words(row.message), note=in_words(row.note))


def change_lines(changed: FieldChanges, currency: str) -> list[PreviewLine]:
    """Return a line for each field that changes, prices first."""
    prices = [name for name in PRICE_FIELDS if name in changed]
    others = [name for name in changed if name not in PRICE_FIELDS]
    return [change_line(name, *changed[name], currency) for name in prices + others]


def change_line(name: str, before: Any, after: Any, currency: str) -> PreviewLine:
    """Return the line of one field that changes. A refused amount is the text of its cell."""
    if name in PRICE_FIELDS and not isinstance(after, str):
        return _price_line(PriceChange(name, before, after, currency))
    texts = [value_text(name, value, currency) for value in (before, after)]
    label = gettext("Status") if name == "active" else field_label(name)
    return {"label": label, "before": texts[0], "after": texts[1], "change": ""}


def value_text(name: str, value: Any, currency: str) -> str:
    """Return the value of a field as previews show it."""
    if name in PRICE_FIELDS and not isinstance(value, str):
        return _money(value, currency)
    if name == "active":
        return str(STATUS[bool(value)])
    return shorten(format_value(value), MAX_TEXT)


def _price_line(change: PriceChange) -> PreviewLine:
    return {
        "label": field_label(change.field),
        "before": _money(change.before, change.currency),
        "after": _money(change.after, change.currency),
        "change": _difference(change),
    }


def _total_line(total: Total) -> PreviewLine:
    change = PriceChange("price", total.before, total.after, total.currency)
    label = f"{total.currency}, {counted(total.products)}"
    return {**_price_line(change), "label": label}


def _money(amount: Decimal | None, currency: str) -> str:
    return str(NOTHING) if amount is None else grouped_money(amount, currency)


def _difference(change: PriceChange) -> str:
    """Return the change, such as "+R120 (+8 %)"."""
    if change.difference is None:
        return ""
    sign = "+" if change.difference > 0 else ""
    money = f"{sign}{grouped_money(change.difference, change.currency)}"
    if change.percentage is None:
        return money
    percentage = grouped(f"{abs(change.percentage):.1f}".removesuffix(".0"))
    return f"{money} ({sign or '-'}{percentage} %)"
