"""The rows of the product list as HTML, made without templates: a page has fifty of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.dates import MONTHS_3
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from products.admin.columns import ALL_COLUMNS, COLUMNS
from products.admin.formatting import CHANGE_STATES, grouped_money
from products.bootstrap import image_url
from products.models import Product

EN_DASH = "\u2013"
PRODUCT_STATES = {**CHANGE_STATES, "complete": gettext_lazy("Up to date")}
"""What the list says about the newest change of a product, by its status."""
UNITS = (
    (timedelta(days=365), ngettext_lazy("{count} year ago", "{count} years ago", "count")),
    (timedelta(days=30), ngettext_lazy("{count} month ago", "{count} months ago", "count")),
    (timedelta(days=7), ngettext_lazy("{count} week ago", "{count} weeks ago", "count")),
    (timedelta(days=1), ngettext_lazy("{count} day ago", "{count} days ago", "count")),
    (timedelta(hours=1), ngettext_lazy("{count} hour ago", "{count} hours ago", "count")),
    (timedelta(minutes=1), ngettext_lazy("{count} minute ago", "{count} minutes ago", "count")),
)
THUMBNAIL = '<img class="thumb" src="{}" alt="" width="36" height="36" loading="lazy">'
NO_THUMBNAIL = '<span class="thumb"></span>'
EDITABLE_PRICE = (
    '<button type="button" class="cell" data-cell="price" data-value="{value}"'
    ' aria-label="{label}">{text}</button>'
)
SWITCH = (
    ' <button type="button" class="switch" data-cell="active" data-value="{value}"'
    ' aria-label="{label}">{verb}</button>'
)
ROW_START = (
    '<tr data-id="{id}" data-version="{version}">'
    '<td class="pick"><input type="checkbox" value="{id}" aria-label="{select}"></td>'
    '<td class="product">{thumbnail}<div><a class="name" href="{url}change/{query}">{name}</a>'
    '<span class="id">{id}</span></div></td>'
)


def age_text(at: datetime, now: datetime) -> str:
    """Return how long ago this was, such as "3 minutes ago"."""
    age = now - at
    for unit, text in UNITS:
        if age >= unit:
            return str(text.format(count=age // unit))
    return gettext("just now")


class RowTexts(NamedTuple):
    """The texts of all rows, in the language of the page. The values in them are HTML."""

    states: Mapping[str, str]
    months: tuple[str, ...]
    select: str
    edit: str
    author: str
    active: str
    deactivated: str
    activate: str
    deactivate: str
    activate_it: str
    deactivate_it: str


def row_texts() -> RowTexts:
    """Return the texts, translated once for a page."""
    texts = (
        gettext("Select {product}"),
        gettext("Price of {product}: {price}. Edit"),
        gettext("by {actor}"),
        gettext("Active"),
        gettext("Deactivated"),
        gettext("Activate"),
        gettext("Deactivate"),
        gettext("Activate {product}"),
        gettext("Deactivate {product}"),
    )
    states = {status: escape(text) for status, text in PRODUCT_STATES.items()}
    months = tuple(escape(name).title() for name in MONTHS_3.values())
    return RowTexts(states, months, *map(escape, texts))


@dataclass(frozen=True)
class RowRenderer:
    """Renders rows for a user with these permissions.

    ``filters`` is the query string of the list; the links keep it for the way back.
    """

    may_change: bool
    may_deactivate: bool
    filters: str
    now: datetime
    columns: tuple[str, ...] = ALL_COLUMNS

    def render(self, products: Iterable[Product]) -> SafeString:
        return mark_safe("".join(map(self._row, products)))  # noqa: S308 # every value is escaped

    @cached_property
    def _list_url(self) -> str:
        return reverse("admin:products_product_changelist")

    @cached_property
    def _query(self) -> str:
        return (
            escape(f"?{urlencode({'_changelist_filters': self.filters})}") if self.filters else ""
        )

    @cached_property
    def _texts(self) -> RowTexts:
        return row_texts()

    @cached_property
    def _template(self) -> str:
        return f"{ROW_START}{''.join(COLUMNS[name].cell for name in self.columns)}</tr>"

    def _row(self, product: Product) -> str:
        name, product_id, texts = escape(product.name), escape(product.pk), self._texts
        image = image_url(product.image)
        renewal = product.renewal_price
        change, at = product.open_change, localtime(product.updated_at)
        status = change.status if change else "complete"
        return self._template.format(
            id=product_id,
            name=name,
            version=product.version,
            url=f"{self._list_url}{quote(product.pk)}/",
            query=self._query,
            thumbnail=THUMBNAIL.format(escape(image)) if image else NO_THUMBNAIL,
            price=self._price(product, name),
            renewal=EN_DASH if renewal is None else grouped_money(renewal, product.currency),
            period=escape(product.period),
            value=str(product.active).lower(),
            flag=texts.active if product.active else texts.deactivated,
            select=texts.select.format(product=name),
            switch=self._switch(product, name),
            status=status,
            status_text=texts.states[status],
            is_open=" data-open" if change else "",
            at=at,
            at_text=f"{at.day} {texts.months[at.month - 1]} {at:%Y, %H:%M:%S %Z}",
            age=age_text(product.updated_at, self.now),
            author=texts.author.format(actor=escape(product.updated_by)),
        )

    def _price(self, product: Product, name: str) -> str:
        text = grouped_money(product.price, product.currency)
        if not self.may_change:
            return text
        label = self._texts.edit.format(product=name, price=text)
        return EDITABLE_PRICE.format(value=f"{product.price:.2f}", label=label, text=text)

    def _switch(self, product: Product, name: str) -> str:
        """Return the button that deactivates or activates the product, if the user may do it."""
        is_allowed = self.may_deactivate if product.active else self.may_change
        if not is_allowed:
            return ""
        texts = self._texts
        verb = texts.deactivate if product.active else texts.activate
        label = (texts.deactivate_it if product.active else texts.activate_it).format(product=name)
        return SWITCH.format(value=str(product.active).lower(), label=label, verb=verb)
