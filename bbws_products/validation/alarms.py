"""That somebody is told: for each thing that may go wrong there is an alarm, and it has somebody to tell."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.metrics import NAMESPACE
from bbws_products.validation import functions
from bbws_products.validation.findings import Finding, aws_client, call_aws, condition, missing
from products.adapters.dynamodb.items import INDEX_KEYS
from products.changes import Effect

Watched = tuple[str, str, dict[str, str]]
"""A metric: its namespace, its name, and the dimensions that say what it is of."""
CLOUDFRONT_REGION = "us-east-1"


def validate(*, with_lambda: bool) -> Iterator[Finding]:
    yield from _all(None, list(watched(with_lambda=with_lambda)))
    if settings.ENABLE_CLOUDFRONT:
        yield from _all(CLOUDFRONT_REGION, [("AWS/CloudFront", "5xxErrorRate", edge_dimensions())])


def edge_dimensions() -> dict[str, str]:
    return {"DistributionId": settings.CLOUDFRONT_DISTRIBUTION_ID}


def watched(*, with_lambda: bool) -> Iterator[Watched]:
    for queue, (_, dead) in settings.QUEUE_URLS.items():
        yield (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": dead.rpartition("/")[2]},
        )
        yield ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue})
    table = {"TableName": settings.PRODUCTS_TABLE}
    for of in ({}, *({"GlobalSecondaryIndexName": index} for index in INDEX_KEYS)):
        yield ("AWS/DynamoDB", "ReadThrottleEvents", table | of)
        yield ("AWS/DynamoDB", "WriteThrottleEvents", table | of)
    ours = {"Environment": settings.ENVIRONMENT}
    yield (NAMESPACE, "OldestOpenChange", ours)
    for effect in Effect:
        yield (NAMESPACE, "EffectFailures", {**ours, "Effect": str(effect)})
    if with_lambda:
        for name in functions.names():
            for metric in ("Errors", "Throttles", "Duration"):
                yield ("AWS/Lambda", metric, {"FunctionName": name})


def _all(region: str | None, wanted: list[Watched]) -> Iterator[Finding]:
    client = aws_client("cloudwatch", region)
    answer = call_aws(
        client.get_paginator("describe_alarms")
        .paginate(AlarmTypes=["MetricAlarm"])
        .build_full_result
    )
    if failure := answer.failure("CloudWatch", "alarms"):
        yield failure
        return
    for watch in wanted:
        yield _one(watch, answer.content["MetricAlarms"])


def _one(watch: Watched, alarms: list[dict[str, Any]]) -> Finding:
    _, metric, dimensions = watch
    subject = " ".join(dimensions.values())
    watching = [alarm for alarm in alarms if any(_is(watch, found) for found in _metrics(alarm))]
    if not watching:
        return missing(subject, f"alarm on {metric}", "Nobody is told.", hardening=True)
    telling = [
        alarm["AlarmName"]
        for alarm in watching
        if alarm.get("ActionsEnabled") and alarm.get("AlarmActions")
    ]
    silent = f"{watching[0]['AlarmName']} tells nobody."
    return condition(
        subject, f"alarm on {metric}", telling, f"{', '.join(telling)}.", silent, hardening=True
    )


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Its one metric, or those of its expression."""
    parts = [
        part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part
    ]
    return parts or [alarm]


def _is(watch: Watched, metric: dict[str, Any]) -> bool:
    namespace, name, dimensions = watch
    found = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    is_named = (metric.get("Namespace"), metric.get("MetricName")) == (namespace, name)
    index = found.get("GlobalSecondaryIndexName") == dimensions.get("GlobalSecondaryIndexName")
    return is_named and index and dimensions.items() <= found.items()
