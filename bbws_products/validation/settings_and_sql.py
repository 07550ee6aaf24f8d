"""Check what needs no AWS: the settings, the keys and the SQL database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from bbws_products.settings.environment import is_weak
from bbws_products.validation.findings import Finding, condition, differs, missing, ok

SQL_TIMEOUT_SECONDS = 10


def validate_settings() -> Iterator[Finding]:
    """Check keys and host names, and run Django's checks for deployments."""
    yield _key_strength("SECRET_KEY", [settings.SECRET_KEY])
    yield _key_strength("TOKEN_KEYS", settings.TOKEN_KEYS)
    yield condition(
        "TOKEN_KEYS",
        "separation",
        settings.SECRET_KEY not in settings.TOKEN_KEYS,
        "None is SECRET_KEY.",
        "SECRET_KEY must not sign tokens.",
    )
    yield condition(
        "ALLOWED_HOSTS",
        "hosts",
        "*" not in settings.ALLOWED_HOSTS,
        "Only the listed host names are accepted.",
        "Any host name is accepted.",
    )
    yield from _django_checks()


def _key_strength(name: str, keys: list[str]) -> Finding:
    weak = sum(map(is_weak, keys))
    if_met = f"{len(keys)} long enough."
    if_not = f"{weak} of {len(keys)} shorter than 32 characters, or insecure-…"
    return condition(name, "strength", keys and not weak, if_met, if_not)


def _django_checks() -> Iterator[Finding]:
    messages = run_checks(include_deployment_checks=True)
    reported = [message for message in messages if not message.is_silenced()]
    for message in reported:
        sentence = str(message.msg).strip()
        is_warning = not message.is_serious()
        yield differs("Django", str(message.id), sentence, hardening=is_warning)
    if not reported:
        yield ok("Django", "checks", "Django's checks for deployments found nothing.")


def validate_sql() -> Iterator[Finding]:
    """Check the migrations, in a thread: each of several calls has its own time-out."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(_migrations).result(SQL_TIMEOUT_SECONDS)
    except TimeoutError:
        yield missing("SQL", "database", f"No response within {SQL_TIMEOUT_SECONDS} s.")
    except DatabaseError as fault:
        yield missing("SQL", "database", f"The query failed: {type(fault).__name__}.")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _migrations() -> Finding:
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
