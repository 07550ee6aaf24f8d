"""The nine Lambda functions, where they do the work: what is called, and that each queue has its one consumer."""

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
"""Of each task's queue: the function that takes from it, and how many messages at a time."""
ALIAS = "live"
GATEWAY_SECONDS = 29
GONE = {"ResourceNotFoundException"}


def names() -> list[str]:
    return [function_name(part) for part in (*API, *(part for part, _ in CONSUMERS.values()))]


def function_name(part: str) -> str:
    return f"bbws-product-{part}-{settings.ENVIRONMENT}"


def validate() -> Iterator[Finding]:
    client = aws_client("lambda")
    for part in API:
        yield from _function(
            client, function_name(part), GATEWAY_SECONDS - 1, "API Gateway gives up before it does"
        )
    for task, queue in queue_names(settings.ENVIRONMENT).items():
        part, batch = CONSUMERS[task]
        why = "messages are received again while it still works on them"
        yield from _function(client, function_name(part), VISIBILITY_SECONDS // 6, why)
        yield from _mapping(client, function_name(part), queue, batch)


def _function(client: Any, name: str, max_seconds: int, why: str) -> Iterator[Finding]:
    answer = call_aws(client.get_function_configuration, FunctionName=name, Qualifier=ALIAS)
    if failure := answer.failure(name, f"function, alias {ALIAS}", absent=GONE):
        yield failure
        return
    found = answer.content
    yield compared(name, "runtime", found.get("Runtime"), "python3.12")
    yield compared(name, "state", found.get("State", "Active"), "Active")
    seconds = int(found.get("Timeout", 0))
    yield condition(
        name,
        "time-out",
        seconds <= max_seconds,
        f"It is {seconds} s.",
        f"It is {seconds} s: {why}.",
    )
    environment = found.get("Environment", {}).get("Variables", {})
    yield compared(name, "ENVIRONMENT", environment.get("ENVIRONMENT"), settings.ENVIRONMENT)


def _mapping(client: Any, function: str, queue: str, batch: int) -> Iterator[Finding]:
    answer = call_aws(client.list_event_source_mappings, FunctionName=f"{function}:{ALIAS}")
    if failure := answer.failure(function, "event source", absent=GONE):
        yield failure
        return
    mappings = [
        m
        for m in answer.content["EventSourceMappings"]
        if m["EventSourceArn"].endswith(f":{queue}")
    ]
    if not mappings:
        yield missing(function, "event source", f"Nothing takes from {queue}.")
        return
    yield condition(
        function,
        "event source",
        len(mappings) == 1,
        f"It is {queue}.",
        f"{queue} is mapped several times.",
    )
    mapping = mappings[0]
    state = mapping.get("State", "Enabled")
    yield condition(
        function,
        "event source, state",
        state == "Enabled",
        f"It is {state}.",
        f"It is {state}: nothing is taken.",
    )
    kinds = mapping.get("FunctionResponseTypes", [])
    yield condition(
        function,
        "partial failures",
        "ReportBatchItemFailures" in kinds,
        "They are reported.",
        "They are not reported: one failed message brings all of its batch back, or none.",
    )
    yield compared(function, "batch size", mapping.get("BatchSize"), batch)
