"""What stands between us and readers: the CloudFront distribution and the search index."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from opensearchpy import OpenSearch, exceptions

from bbws_products.validation.findings import (
    Finding,
    aws_client,
    call_aws,
    compared,
    condition,
    missing,
    ok,
)
from products.adapters.opensearch.documents import INDEX_BODY
from products.adapters.opensearch.index import connect

ENCRYPTED = {"redirect-to-https", "https-only"}


def validate_cloudfront() -> Iterator[Finding]:
    if not settings.ENABLE_CLOUDFRONT:
        yield ok("CloudFront", "distribution", "It is switched off by ENABLE_CLOUDFRONT.")
        return
    name = settings.CLOUDFRONT_DISTRIBUTION_ID
    answer = call_aws(aws_client("cloudfront").get_distribution, Id=name)
    if failure := answer.failure(name, "distribution", absent={"NoSuchDistribution"}):
        yield failure
        return
    distribution: dict[str, Any] = answer.content["Distribution"]
    config = distribution["DistributionConfig"]
    yield compared(name, "enabled", config.get("Enabled"), True)
    yield compared(name, "status", distribution.get("Status"), "Deployed")
    behaviours = [
        config["DefaultCacheBehavior"],
        *config.get("CacheBehaviors", {}).get("Items", []),
    ]
    plain = [
        b.get("PathPattern", "*")
        for b in behaviours
        if b.get("ViewerProtocolPolicy") not in ENCRYPTED
    ]
    yield condition(
        name,
        "HTTPS",
        not plain,
        "Readers are sent to HTTPS.",
        f"Plain HTTP is served at {', '.join(plain)}.",
    )


def validate_search() -> Iterator[Finding]:
    if not settings.ENABLE_OPENSEARCH:
        yield ok("OpenSearch", "index", "It is switched off by ENABLE_OPENSEARCH.")
        return
    alias = settings.SEARCH_ALIAS
    try:
        yield from _index(connect(settings.OPENSEARCH_URL), alias)
    except exceptions.NotFoundError:
        yield missing(alias, "alias", "There is none; `manage.py rebuild_search_index` makes it.")
    except (exceptions.ConnectionError, exceptions.TransportError) as fault:
        yield missing("OpenSearch", "cluster", f"It can't be asked: {type(fault).__name__}.")


def _index(client: OpenSearch, alias: str) -> Iterator[Finding]:
    standing = list(client.indices.get_alias(name=alias))
    yield condition(
        alias,
        "alias",
        len(standing) == 1,
        f"It is {standing[0]}.",
        f"It means several: {standing}.",
    )
    design: dict[str, Any] = INDEX_BODY["mappings"]  # type: ignore[assignment] # a dictionary of two kinds of values
    for index, found in client.indices.get_mapping(index=alias).items():
        mapping = found["mappings"]
        yield compared(index, "unknown fields", str(mapping.get("dynamic")), design["dynamic"])
        fields, wanted = mapping.get("properties", {}), design["properties"]
        wrong = sorted(
            name for name in {**fields, **wanted} if not _alike(fields.get(name), wanted.get(name))
        )
        yield condition(
            index,
            "mapping",
            not wrong,
            "It is ours.",
            f"These fields differ from ours: {', '.join(wrong)}.",
        )
    health = client.cluster.health().get("status", "unknown")
    yield condition(
        "OpenSearch", "cluster", health != "red", f"It is {health}.", "It is red: a shard is lost."
    )


def _alike(found: Any, wanted: Any) -> bool:
    """All that is wanted is there; an engine may say more, and writes numbers and flags in its own way."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _alike(found.get(name), part) for name, part in wanted.items()
        )
    return str(found).lower().removesuffix(".0") == str(wanted).lower()
