"""Editing one cell of the list: the same use case as the form, based on the version on screen."""

from decimal import Decimal
from http import HTTPStatus

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import ModelAdmin, product_url
from products.admin.formatting import NOTHING_SAVED, format_value, grouped_money, last_authors
from products.admin.refusals import sentence_of, status_of
from products.admin.sentences.finding import in_words
from products.admin.staff_writes import StaffWrites
from products.amounts import ANY_NOTATION
from products.bootstrap import catalogue
from products.changes import Change
from products.errors import CatalogueError
from products.identifiers import parse_version
from products.merging import EditConflict
from products.product import Product
from products.writes import Accepted

EDITABLE = ("price", "active")
FLAGS = {"true": True, "false": False}
"""What the page sends. Any other text is refused, because it must not deactivate a product."""
SAVED = gettext_lazy("Saved; customers see it within a few seconds.")

type Body = dict[str, object]


def cell_view(admin: ModelAdmin, request: HttpRequest, object_id: str) -> JsonResponse:
    """Save one value.

    A 409 of kind ``clash`` names the other user's value and its version. Sent again with this
    version, the value replaces theirs. After any other 409 the same request may be repeated.
    """
    field = request.POST.get("field", "")
    value = request.POST.get("value", "")
    base = parse_version(request.POST.get("version", ""))
    if field not in EDITABLE or base is None:
        body = {"message": gettext("This cell can't be edited.")}
        return JsonResponse(body, status=HTTPStatus.BAD_REQUEST)
    product_id = unquote(object_id)
    try:
        edits = {field: FLAGS.get(value) if field == "active" else _amount(product_id, value)}
        accepted = StaffWrites(request).update(product_id, edits, base=base)
    except ValueError as refusal:
        return JsonResponse({"message": in_words(str(refusal))}, status=HTTPStatus.BAD_REQUEST)
    except EditConflict as conflict:
        return _conflict_response(conflict, field)
    except CatalogueError as refusal:
        body = {"message": sentence_of(refusal, field)}
        return JsonResponse(body, status=status_of(refusal))
    return JsonResponse(_saved_body(accepted, field))


def _amount(product_id: str, text: str) -> Decimal:
    """Return the typed amount. Raise ValueError when it can't be read, or has another sign."""
    amount = ANY_NOTATION.read(text)
    if not amount.currencies:
        return amount.value
    return ANY_NOTATION.read_in(text, catalogue().newest(product_id).currency)


def _saved_body(accepted: Accepted, field: str) -> Body:
    """Return the row as it is now, and for a real change its receipt and undo."""
    product, change = accepted.product, accepted.change
    body: Body = {
        "version": product.version,
        "price": {
            "value": f"{product.price:.2f}",
            "text": grouped_money(product.price, product.currency),
        },
        "active": {
            "value": str(product.active).lower(),
            "text": gettext("Active") if product.active else gettext("Deactivated"),
        },
        "period": product.shown_period,
        "by": product.updated_by,
        "message": f"{product.name}: {NOTHING_SAVED}",
    }
    if change and change.before:
        body |= _change_body(change, change.before, field)
    return body


def _change_body(change: Change, before: Product, field: str) -> Body:
    product = change.after
    return {
        "message": f"{product.name}: {_difference(before, product, field)}. {SAVED}",
        "receipt": product_url("receipt", product.product_id, product.version),
        "undo": product_url("undo", product.product_id, product.version),
        "status": change.status,
    }


def _difference(before: Product, product: Product, field: str) -> str:
    """Return what was saved, such as "price R1500 → R1600"."""
    if field == "active":
        again, gone = gettext("is on the website again"), gettext("is no longer on the website")
        return again if product.active else gone
    old = grouped_money(before.price, before.currency)
    new = grouped_money(product.price, product.currency)
    return gettext("price {before} → {after}").format(before=old, after=new)


def _conflict_response(conflict: EditConflict, field: str) -> JsonResponse:
    author = last_authors(conflict)[field]
    theirs = format_value(conflict.clashes[field].theirs)
    body = {
        "kind": "clash",
        "message": gettext("{actor} changed this to {value}.").format(actor=author, value=theirs),
        "version": conflict.product.version,
        "theirs": theirs,
    }
    return JsonResponse(body, status=status_of(conflict))
