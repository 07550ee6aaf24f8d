"""The SQL database, which holds users and sessions."""

from django.db import connection

WRITE_NOTHING = "UPDATE django_session SET expire_date = expire_date WHERE 1 = 0"
"""Changes nothing, but fails where no session could be saved."""


def ping() -> None:
    """Raise Django's database error unless SQL takes writes."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE_NOTHING)
