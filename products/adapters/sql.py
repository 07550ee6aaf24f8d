"""The SQL database, which holds users and sessions."""

from collections.abc import Set

from django.db import Error, close_old_connections, connection

from products.errors import DependencyUnavailable

DEPENDENCY = "The user database"
WRITE_NOTHING = "UPDATE django_session SET expire_date = expire_date WHERE 1 = 0"
"""Changes nothing, but fails where no session could be saved."""


def ping() -> None:
    """Raise Django's database error unless SQL takes writes."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE_NOTHING)


def account_permissions(username: str) -> Set[str] | None:
    """Return the permissions of an account; None unless it exists and is active.

    A worker's thread calls it, outside of any request, and the admin inside of a transaction, whose
    connection must stay. Raises: DependencyUnavailable.
    """
    from django.contrib.auth.models import User  # noqa: PLC0415 # not without SQL

    if not connection.in_atomic_block:
        close_old_connections()  # as Django does before a request
    try:
        user = User.objects.filter(username=username, is_active=True).first()
        return None if user is None else user.get_all_permissions()
    except Error as fault:
        raise DependencyUnavailable(DEPENDENCY) from fault
