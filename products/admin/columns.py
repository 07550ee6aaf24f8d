"""The columns of the product list: which there are, and which a user wants in which order."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from products.access.profiles import COLUMNS_KEY

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Column(NamedTuple):
    """A column: its title in the head, and the cell in each row."""

    title: "_StrPromise"
    cell: str


COLUMNS = {
    "price": Column(gettext_lazy("Price"), '<td class="money">{price}</td>'),
    "renewal": Column(gettext_lazy("Renewal"), '<td class="money">{renewal}</td>'),
    "period": Column(gettext_lazy("Period"), "<td>{period}</td>"),
    "website": Column(
        gettext_lazy("On the website"),
        '<td class="active"><span class="flag" data-active="{value}">{flag}</span>{switch}</td>',
    ),
    "status": Column(
        gettext_lazy("Status"),
        '<td><span class="state" data-state="{status}"{is_open}>{status_text}</span></td>',
    ),
    "version": Column(gettext_lazy("Version"), '<td class="version">v{version}</td>'),
    "updated": Column(
        gettext_lazy("Updated"),
        '<td><time datetime="{at:%Y-%m-%dT%H:%M:%S%z}" title="{at_text}">{age}'
        '</time><span class="id">{author}</span></td>',
    ),
}
ALL_COLUMNS = tuple(COLUMNS)


def parse_columns(text: str) -> tuple[str, ...]:
    """Return the known columns in a comma-separated list, each once; all of them if none is."""
    names = dict.fromkeys(name.strip() for name in text.split(","))
    return tuple(name for name in names if name in COLUMNS) or ALL_COLUMNS


def columns_text(names: Iterable[str]) -> str:
    """Return the list as it is stored; empty for all columns in their usual order."""
    chosen = tuple(names)
    return "" if chosen == ALL_COLUMNS else ",".join(chosen)


def own_columns(request: HttpRequest) -> tuple[str, ...]:
    """Return the user's columns, which the session remembers from the profile."""
    return parse_columns(str(request.session.get(COLUMNS_KEY, "")))
