"""What needs no AWS: the settings, the keys, and the SQL database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from bbws_products.settings.environment import is_weak
from bbws_products.validation.findings import Finding, condition, differs, missing, ok

SQL_SECONDS = 10


def validate_settings() -> Iterator[Finding]:
    """Django's own checks for deployments among them."""
    for name in ("SECRET_KEY", "TOKEN_KEYS"):
        keys = [settings.SECRET_KEY] if name == "SECRET_KEY" else settings.TOKEN_KEYS
        weak = sum(map(is_weak, keys))
        so, otherwise = (
            f"{len(keys)} long enough.",
            f"{weak} of {len(keys)} shorter than 32 characters, or insecure-…",
        )
        yield condition(name, "strength", keys and not weak, so, otherwise)
    kept_apart = settings.SECRET_KEY not in settings.TOKEN_KEYS
    yield condition(
        "TOKEN_KEYS", "apart", kept_apart, "None is SECRET_KEY.", "SECRET_KEY must not sign tokens."
    )
    yield condition(
        "ALLOWED_HOSTS",
        "hosts",
        "*" not in settings.ALLOWED_HOSTS,
        "They are named.",
        "Any host name is taken.",
    )
    messages = [
        message
        for message in run_checks(include_deployment_checks=True)
        if not message.is_silenced()
    ]
    for message in messages:
        yield differs(
            "Django", str(message.id), str(message.msg).strip(), hardening=not message.is_serious()
        )
    if not messages:
        yield ok("Django", "checks", "Its checks for deployments find nothing.")


def validate_sql() -> Iterator[Finding]:
    """On a thread, because a database that does not answer has no time limit of its own."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(_sql).result(SQL_SECONDS)
    except TookTooLong:
        yield missing("SQL", "database", f"It does not answer within {SQL_SECONDS} s.")
    except DatabaseError as fault:
        yield missing("SQL", "database", f"It can't be asked: {type(fault).__name__}.")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _sql() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connection.close()
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    return condition(
        "SQL",
        "migrations",
        not names,
        "All are applied.",
        f"Not applied: {', '.join(names)}; run `manage.py migrate`.",
    )
