"""Check the nine Lambda functions, and that each queue has exactly one consumer."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.validation.findings import (
    Finding,
    aws_client,
    call_aws,
    compared,
    condition,
    missing,
)
from tasks.queues import VISIBILITY_SECONDS, queue_names

API = ("list", "get", "create", "update", "delete")
CONSUMERS = {
    "products.persist": ("creator", 10),
    "products.invalidate": ("cache-invalidator", 10),
    "products.index": ("search-indexer", 5),
    "products.audit": ("audit-logger", 10),
}
"""For each task, the function that consumes its queue and the maximum size of a batch."""
ALIAS = "live"
API_GATEWAY_TIMEOUT_SECONDS = 29
NO_FUNCTION_CODES = {"ResourceNotFoundException"}


def names() -> list[str]:
    consumers = [part for part, _ in CONSUMERS.values()]
    return [function_name(part) for part in (*API, *consumers)]


def function_name(part: str) -> str:
    return f"bbws-product-{part}-{settings.ENVIRONMENT}"


def validate() -> Iterator[Finding]:
    client = aws_client("lambda")
    max_seconds = API_GATEWAY_TIMEOUT_SECONDS - 1
    for part in API:
        name = function_name(part)
        yield from _validate_function(client, name, max_seconds, "API Gateway gives up first")
    for task, queue in queue_names(settings.ENVIRONMENT).items():
        part, batch_size = CONSUMERS[task]
        name = function_name(part)
        why = "SQS delivers messages again that it is still working on"
        yield from _validate_function(client, name, VISIBILITY_SECONDS // 6, why)
        yield from _validate_event_source(client, name, queue, batch_size)


def _validate_function(client: Any, name: str, max_seconds: int, why: str) -> Iterator[Finding]:
    answer = call_aws(client.get_function_configuration, FunctionName=name, Qualifier=ALIAS)
    if failure := answer.failure(name, f"function, alias {ALIAS}", absent=NO_FUNCTION_CODES):
        yield failure
        return
    found = answer.content
    yield compared(name, "runtime", found.get("Runtime"), "python3.12")
    yield compared(name, "state", found.get("State", "Active"), "Active")
    seconds = int(found.get("Timeout", 0))
    yield condition(
        name,
        "timeout",
        seconds <= max_seconds,
        f"It is {seconds} s.",
        f"It is {seconds} s, more than {max_seconds} s: {why}.",
    )
    environment = found.get("Environment", {}).get("Variables", {})
    yield compared(name, "ENVIRONMENT", environment.get("ENVIRONMENT"), settings.ENVIRONMENT)


def _validate_event_source(
    client: Any, function: str, queue: str, batch_size: int
) -> Iterator[Finding]:
    what = "event source"
    answer = call_aws(client.list_event_source_mappings, FunctionName=f"{function}:{ALIAS}")
    if failure := answer.failure(function, what, absent=NO_FUNCTION_CODES):
        yield failure
        return
    mappings = [
        mapping
        for mapping in answer.content["EventSourceMappings"]
        if mapping["EventSourceArn"].endswith(f":{queue}")
    ]
    if not mappings:
        yield missing(function, what, f"No function consumes {queue}.")
        return
    yield condition(
        function, what, len(mappings) == 1, f"It is {queue}.", f"{queue} has several mappings."
    )
    yield from _validate_mapping(function, mappings[0], batch_size)


def _validate_mapping(function: str, mapping: dict[str, Any], batch_size: int) -> Iterator[Finding]:
    state = mapping.get("State", "Enabled")
    yield condition(
        function,
        "event source, state",
        state == "Enabled",
        f"It is {state}.",
        f"It is {state}: no messages are consumed.",
    )
    yield condition(
        function,
        "partial failures",
        "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        "They are reported.",
        "They are not reported: if one message fails, its whole batch is received again.",
    )
    yield compared(function, "batch size", mapping.get("BatchSize"), batch_size)
