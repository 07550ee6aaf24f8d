"""How the SQL database is called: every wait has an end."""

from typing import Any

CONNECT_SECONDS = 3
STATEMENT_MILLISECONDS = 30_000
BUSY_SECONDS = 20
"""How long a writer waits for others on SQLite: for 60 logins that hash passwords on two cores."""


def sql_options(engine: str) -> dict[str, Any]:
    """Return Django's options for the database engine."""
    if engine.endswith("sqlite3"):
        return {
            "timeout": BUSY_SECONDS,
            # A transaction that reads first and then writes would fail without waiting.
            "transaction_mode": "IMMEDIATE",
            # Readers do not wait for a writer.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    if engine.endswith("postgresql"):
        return {
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            "tcp_user_timeout": STATEMENT_MILLISECONDS,
        }
    return {}
