"""Cursors: where the next page of a list starts.

A cursor is a position, bound to the order and filters of its list. It is signed, so that clients
cannot make one up.
"""

import hashlib
from dataclasses import replace

from django.core import signing

from products.errors import Invalid
from products.following import FollowQuery
from products.lists import ListQuery

SIGNER = signing.Signer(salt="products.cursor")


def cursor_of(query: object, position: str) -> str:
    """Return the cursor of a position in this list: a query, or the id in a history."""
    return SIGNER.sign_object([_fingerprint(query), position])


def position_of(cursor: str, query: object) -> str:
    """Return the position in a cursor of this list. Raise Invalid for any other cursor."""
    try:
        fingerprint, position = SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise Invalid({"startAt": ["Must be the nextStartAt of an earlier answer."]}) from None
    if fingerprint != _fingerprint(query):
        raise Invalid({"startAt": ["Belongs to a list with another order or other filters."]})
    return str(position)


def _fingerprint(query: object) -> str:
    """Return a short hash of the order and the filters, which all pages of a list share."""
    if isinstance(query, ListQuery):
        query = replace(query, after=None, limit=0)
    elif isinstance(query, FollowQuery):
        query = replace(query, after=None, next_since=None, limit=0)
    return hashlib.sha256(repr(query).encode()).hexdigest()[:12]
