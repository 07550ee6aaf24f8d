"""Whether the database of users and sessions answers."""

from django.db import connection


def check_sql() -> None:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # checks run on threads of their own, which must not leave connections behind
