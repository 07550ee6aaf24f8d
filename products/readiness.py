"""The wiring of the readiness checks: what each dependency is asked."""

from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings

from products.adapters.dynamodb.items import INDEX_KEYS, LATEST_CHANGES
from products.bootstrap import audit_trail, cdn, doorbell, opensearch_index, table


def readiness_checks() -> dict[str, Callable[[], None] | None]:
    """Return one check for each dependency; None where this deployment does not have it."""
    if not settings.CELERY:
        # The API on Lambda serves without the others, and may not read the newest changes of all.
        return {"dynamodb": partial(_ask_table, INDEX_KEYS.keys() - {LATEST_CHANGES})}
    from products.adapters import sql  # noqa: PLC0415 # functions have no SQL

    search = opensearch_index()
    return {
        "dynamodb": partial(_ask_table, INDEX_KEYS),
        "sql": sql.ping,
        "sqs": doorbell().ping,
        "opensearch": search.ping if search else None,
        "cloudfront": cdn().ping if settings.ENABLE_CLOUDFRONT else None,
        "s3": audit_trail().ping,
    }


def _ask_table(indexes: Iterable[str]) -> None:
    """Read an item and each index. Raises: IndexMissing, DependencyUnavailable, ClientError."""
    table().ping()
    table().require_indexes(sorted(indexes))
