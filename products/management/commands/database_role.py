"""``manage.py database_role``: give the application its own role in PostgreSQL.

The web server and the workers use this role, which may read and write rows but not change tables.
Migrations use the master user. The command may run after each migration.
"""

import os
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction
from psycopg import sql

from products.management.command import CatalogueCommand

GRANTS = (
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


class Command(CatalogueCommand):
    """Create or update the role; its name and password are environment variables."""

    help = "Create the application's own database role from DATABASE_ROLE, with its rights."

    def handle(self, *args: Any, **options: Any) -> str:
        """Return a sentence that says what was done."""
        if connection.vendor != "postgresql":
            return "This database has no roles."
        name, password = os.environ.get("DATABASE_ROLE"), os.environ.get("DATABASE_ROLE_PASSWORD")
        if not name or not password:
            raise CommandError("DATABASE_ROLE and DATABASE_ROLE_PASSWORD must be set.")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            self._run(cursor, f"{verb} ROLE {{role}} LOGIN PASSWORD {{password}}", name, password)
            for grant in GRANTS:
                self._run(cursor, grant, name, password)
        return f"{name} may read and write rows."

    def _run(self, cursor: Any, statement: str, name: str, password: str) -> None:
        names = {
            "role": sql.Identifier(name),
            "password": sql.Literal(password),
            "database": sql.Identifier(str(connection.settings_dict["NAME"])),
        }
        composed = sql.SQL(statement).format(**names)
        cursor.execute(composed.as_string(cursor.connection))
