"""The wiring of the readiness checks: what each dependency is asked."""

from collections.abc import Callable

from django.conf import settings

from products.bootstrap import audit_trail, cdn, doorbell, opensearch_index, table


def readiness_checks() -> dict[str, Callable[[], None] | None]:
    """Return one check for each dependency; None where this deployment does not have it."""
    if not settings.CELERY:
        return {"dynamodb": table().ping}  # the API on Lambda serves without the others
    from products.adapters import sql  # noqa: PLC0415 # functions have no SQL

    search = opensearch_index()
    return {
        "dynamodb": table().ping,
        "sql": sql.ping,
        "sqs": doorbell().ping,
        "opensearch": search.ping if search else None,
        "cloudfront": cdn().ping if settings.ENABLE_CLOUDFRONT else None,
        "s3": audit_trail().ping,
    }
