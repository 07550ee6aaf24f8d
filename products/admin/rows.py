"""The rows of the product list as HTML, made without templates: a page has fifty of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from products.admin.columns import ALL_COLUMNS, COLUMNS
from products.admin.formatting import grouped_money
from products.bootstrap import image_url
from products.models import Product

EN_DASH = "\u2013"
STATUS_TEXTS = {
    "accepted": "Saving…",
    "stored": "Publishing…",
    "complete": "Up to date",
    "failed": "Needs attention",
}
"""What the list says about the newest change of a product, by its status."""
UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=7), "week"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
THUMBNAIL = '<img class="thumb" src="{}" alt="" width="36" height="36" loading="lazy">'
NO_THUMBNAIL = '<span class="thumb"></span>'
EDITABLE_PRICE = (
    '<button type="button" class="cell" data-cell="price" data-value="{value}"'
    ' aria-label="Price of {name}: {text}. Edit">{text}</button>'
)
SWITCH = (
    ' <button type="button" class="switch" data-cell="active" data-value="{value}"'
    ' aria-label="{verb} {name}">{verb}</button>'
)
ROW_START = (
    '<tr data-id="{id}" data-version="{version}">'
    '<td class="pick"><input type="checkbox" value="{id}" aria-label="Select {name}"></td>'
    '<td class="product">{thumbnail}<div><a class="name" href="{url}change/{query}">{name}</a>'
    '<span class="id">{id}</span></div></td>'
)


def age_text(at: datetime, now: datetime) -> str:
    """Return how long ago this was, such as "3 minutes ago"."""
    age = now - at
    for unit, name in UNITS:
        if age >= unit:
            count = age // unit
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"


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
    def _template(self) -> str:
        return f"{ROW_START}{''.join(COLUMNS[name].cell for name in self.columns)}</tr>"

    def _row(self, product: Product) -> str:
        name, product_id = escape(product.name), escape(product.pk)
        image = image_url(product.image)
        renewal = product.renewal_price
        change = product.open_change
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
            flag="Active" if product.active else "Deactivated",
            switch=self._switch(product, name),
            status=status,
            status_text=STATUS_TEXTS[status],
            is_open=" data-open" if change else "",
            at=localtime(product.updated_at),
            age=age_text(product.updated_at, self.now),
            author=escape(product.updated_by),
        )

    def _price(self, product: Product, name: str) -> str:
        text = grouped_money(product.price, product.currency)
        if not self.may_change:
            return text
        return EDITABLE_PRICE.format(value=f"{product.price:.2f}", name=name, text=text)

    def _switch(self, product: Product, name: str) -> str:
        """Return the button that deactivates or activates the product, if the user may do it."""
        is_allowed = self.may_deactivate if product.active else self.may_change
        if not is_allowed:
            return ""
        verb = "Deactivate" if product.active else "Activate"
        return SWITCH.format(value=str(product.active).lower(), name=name, verb=verb)
