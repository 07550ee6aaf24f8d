"""Check that each metric that matters has an alarm, and that the alarm notifies somebody."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from bbws_products.metrics import NAMESPACE
from bbws_products.validation import functions
from bbws_products.validation.findings import Finding, aws_client, call_aws, condition, missing
from products.adapters.dynamodb.items import INDEX_KEYS
from products.changes import Effect

WatchedMetric = tuple[str, str, dict[str, str]]
"""A metric's namespace, name and dimensions."""
CLOUDFRONT_REGION = "us-east-1"  # CloudFront publishes its metrics in this region only


def validate(*, with_lambda: bool) -> Iterator[Finding]:
    yield from _validate_alarms(None, list(watched_metrics(with_lambda=with_lambda)))
    if settings.ENABLE_CLOUDFRONT:
        edge_errors = ("AWS/CloudFront", "5xxErrorRate", edge_dimensions())
        yield from _validate_alarms(CLOUDFRONT_REGION, [edge_errors])


def edge_dimensions() -> dict[str, str]:
    return {"DistributionId": settings.CLOUDFRONT_DISTRIBUTION_ID}


def watched_metrics(*, with_lambda: bool) -> Iterator[WatchedMetric]:
    """Yield the metrics that need an alarm."""
    for queue, (_, dead_letter_url) in settings.QUEUE_URLS.items():
        dead_letter_queue = {"QueueName": dead_letter_url.rpartition("/")[2]}
        yield ("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead_letter_queue)
        yield ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue})
    yield from _table_metrics()
    environment = {"Environment": settings.ENVIRONMENT}
    yield (NAMESPACE, "OldestOpenChange", environment)
    for effect in Effect:
        yield (NAMESPACE, "EffectFailures", {**environment, "Effect": str(effect)})
    if with_lambda:
        for name in functions.names():
            for metric in ("Errors", "Throttles", "Duration"):
                yield ("AWS/Lambda", metric, {"FunctionName": name})


def _table_metrics() -> Iterator[WatchedMetric]:
    table = {"TableName": settings.PRODUCTS_TABLE}
    indexes = [{"GlobalSecondaryIndexName": index} for index in INDEX_KEYS]
    for index in ({}, *indexes):
        yield ("AWS/DynamoDB", "ReadThrottleEvents", table | index)
        yield ("AWS/DynamoDB", "WriteThrottleEvents", table | index)


def _validate_alarms(region: str | None, watched: list[WatchedMetric]) -> Iterator[Finding]:
    paginator = aws_client("cloudwatch", region).get_paginator("describe_alarms")
    answer = call_aws(paginator.paginate(AlarmTypes=["MetricAlarm"]).build_full_result)
    if failure := answer.failure("CloudWatch", "alarms"):
        yield failure
        return
    for metric in watched:
        yield _validate_alarm(metric, answer.content["MetricAlarms"])


def _validate_alarm(watched: WatchedMetric, alarms: list[dict[str, Any]]) -> Finding:
    _, metric, dimensions = watched
    subject = " ".join(dimensions.values())
    what = f"alarm on {metric}"
    watching = [
        alarm for alarm in alarms if any(_matches(watched, found) for found in _metrics_of(alarm))
    ]
    if not watching:
        return missing(subject, what, "No alarm watches it.", hardening=True)
    notifying = [
        alarm["AlarmName"]
        for alarm in watching
        if alarm.get("ActionsEnabled") and alarm.get("AlarmActions")
    ]
    if_met = f"{', '.join(notifying)}."
    if_not = f"{watching[0]['AlarmName']} notifies nobody."
    return condition(subject, what, notifying, if_met, if_not, hardening=True)


def _metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of an alarm: those of its expression, or its only one."""
    parts = alarm.get("Metrics", [])
    metrics = [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part]
    return metrics or [alarm]


def _matches(watched: WatchedMetric, metric: dict[str, Any]) -> bool:
    """Return whether a metric is the watched one; the metric of an index is not its table's."""
    namespace, name, dimensions = watched
    found = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    is_same_name = (metric.get("Namespace"), metric.get("MetricName")) == (namespace, name)
    index = "GlobalSecondaryIndexName"
    is_same_index = found.get(index) == dimensions.get(index)
    return is_same_name and is_same_index and dimensions.items() <= found.items()
