"""Which permissions the rows of a job need. Pure."""

from collections.abc import Iterable, Set

from products.bulk.rows import Row, RowState
from products.errors import NotAllowed
from products.permissions import Permission, require_permissions


def refuse_forbidden(row: Row, permissions: Set[Permission]) -> Row:
    """Return the row, refused if it needs a permission that is not among these."""
    try:
        if row.state in (RowState.WAITING, RowState.CLASH):
            require_permissions(permissions, row.needed_permissions)
    except NotAllowed as refusal:
        return row.refused(str(refusal))
    return row


def needed_by(rows: Iterable[Row]) -> frozenset[Permission]:
    """Return the permissions that the waiting rows need."""
    waiting = [row.needed_permissions for row in rows if row.state == RowState.WAITING]
    return frozenset[Permission]().union(*waiting)
