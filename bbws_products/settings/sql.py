"""How the SQL database is called: every wait has an end."""

from typing import Any

from bbws_products.settings.environment import number

POSTGRESQL = "products.adapters.postgresql"
CONNECT_SECONDS = 3
STATEMENT_SECONDS = number("SQL_STATEMENT_SECONDS", 4)
"""When the server ends a statement. A migration or a clean-up may need longer."""
RESPONSE_SECONDS = STATEMENT_SECONDS + 1
"""When we give up a server that should have ended the statement by then."""
BUSY_SECONDS = 20
"""How long a writer waits for others on SQLite: for 60 logins that hash passwords on two cores."""
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""A connection whose server is gone is noticed after 25 s, also while nothing is asked."""


def sql_database(settings: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings of the database, with our engine and options."""
    engine = settings["ENGINE"]
    is_postgresql = engine.endswith("postgresql")
    options = settings.get("OPTIONS", {}) | _options(engine)
    return settings | {"ENGINE": POSTGRESQL if is_postgresql else engine, "OPTIONS": options}


def _options(engine: str) -> dict[str, Any]:
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
            "options": f"-c statement_timeout={int(STATEMENT_SECONDS * 1000)}",
            "tcp_user_timeout": int(RESPONSE_SECONDS * 1000),
            "response_seconds": RESPONSE_SECONDS,
            **KEEPALIVE,
        }
    return {}
