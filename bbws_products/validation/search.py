"""Check the search index: its alias, its mapping and its cluster."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from opensearchpy import OpenSearch, exceptions

from bbws_products.validation.findings import Finding, compared, condition, missing, ok
from products.adapters.opensearch.documents import INDEX_BODY
from products.adapters.opensearch.index import connect


def validate() -> Iterator[Finding]:
    if not settings.ENABLE_OPENSEARCH:
        yield ok("OpenSearch", "index", "Switched off by ENABLE_OPENSEARCH.")
        return
    alias = settings.SEARCH_ALIAS
    try:
        yield from _validate_index(connect(settings.OPENSEARCH_URL), alias)
    except exceptions.NotFoundError:
        yield missing(alias, "alias", "Not found; create it: `manage.py rebuild_search_index`.")
    except (exceptions.ConnectionError, exceptions.TransportError) as fault:
        yield missing("OpenSearch", "cluster", f"The call failed: {type(fault).__name__}.")


def _validate_index(client: OpenSearch, alias: str) -> Iterator[Finding]:
    indexes = list(client.indices.get_alias(name=alias))
    yield condition(
        alias,
        "alias",
        len(indexes) == 1,
        f"It is {indexes[0]}.",
        f"It points to several indexes: {indexes}.",
    )
    for index, found in client.indices.get_mapping(index=alias).items():
        yield from _validate_mapping(index, found["mappings"])
    health = client.cluster.health(index=alias).get("status", "unknown")
    yield condition(
        "OpenSearch", "health", health != "red", f"It is {health}.", "It is red: a shard is lost."
    )


def _validate_mapping(index: str, mapping: dict[str, Any]) -> Iterator[Finding]:
    # The values of INDEX_BODY have several types.
    design: dict[str, Any] = INDEX_BODY["mappings"]
    yield compared(index, "unknown fields", str(mapping.get("dynamic")), design["dynamic"])
    fields, expected = mapping.get("properties", {}), design["properties"]
    different = sorted(
        name
        for name in {**fields, **expected}
        if not _is_equivalent(fields.get(name), expected.get(name))
    )
    yield condition(
        index,
        "mapping",
        not different,
        "It is the expected one.",
        f"These fields differ from the expected mapping: {', '.join(different)}.",
    )


def _is_equivalent(found: Any, expected: Any) -> bool:
    """Return whether a mapping contains all that is expected.

    OpenSearch may add settings, and formats numbers and booleans differently.
    """
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            _is_equivalent(found.get(name), part) for name, part in expected.items()
        )
    return str(found).lower().removesuffix(".0") == str(expected).lower()
