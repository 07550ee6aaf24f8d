"""The metrics of log events, written in CloudWatch's embedded metric format (EMF).

The log line contains the metric, so nothing else is sent, and every number in a graph leads to
the log lines behind it. AWS bills each combination of dimensions as one metric. So a dimension
must have few values, and is never an id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

NAMESPACE = "BBWS/Products"


@dataclass(frozen=True, slots=True)
class Metric:
    """A CloudWatch metric of a log event.

    ``value`` is the log field to measure; None counts the events. ``dimensions`` maps the names of
    dimensions to log fields.
    """

    name: str
    unit: str = "Count"
    value: str | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)


EFFECT = {"Effect": "effect"}
METRICS = {
    "change accepted": (Metric("AcceptedWrites"),),
    "effect stamped": (Metric("EffectLatency", "Seconds", "seconds", EFFECT),),
    "effect failed": (Metric("EffectFailures", dimensions=EFFECT),),
    "task failed": (Metric("TaskFailures", dimensions={"Task": "task"}),),
    "change requeued": (Metric("RelayRings"),),
    "relay done": (
        Metric("OldestOpenChange", "Seconds", "oldest_seconds"),
        Metric("StalledJobs", value="stalled_jobs"),
        Metric("OverduePlan", "Seconds", "overdue_plan_seconds"),
    ),
    "plan switched": (Metric("PlanLateness", "Seconds", "late_seconds"),),
    "request answered": (
        Metric(
            "HttpLatency",
            "Milliseconds",
            "duration_ms",
            {"Route": "endpoint", "StatusClass": "status_class"},
        ),
    ),
    "login locked": (Metric("LoginLocks"),),
}
"""The metrics of each event.

``HttpLatency`` covers only the logged requests, so its sample count is not the number of requests.
"""


def metric_fields(line: Mapping[str, Any], environment: str, at: datetime) -> dict[str, Any]:
    """Return the fields that make a log line a metric, or nothing if its event is not measured.

    Format: the "Embedded metric format specification" in the CloudWatch user guide, at
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/.
    """
    metrics = [metric for metric in METRICS.get(line["event"], ()) if _is_in(metric, line)]
    if not metrics:
        return {}
    targets: dict[str, Any] = {"Environment": environment}
    for metric in metrics:
        targets[metric.name] = line[metric.value] if metric.value else 1
        for dimension, field_name in metric.dimensions.items():
            targets[dimension] = str(line.get(field_name, "unknown"))
    metadata = {
        "Timestamp": int(at.timestamp() * 1000),  # milliseconds
        "CloudWatchMetrics": [_directive(metric) for metric in metrics],
    }
    return {**targets, "_aws": metadata}


def _is_in(metric: Metric, line: Mapping[str, Any]) -> bool:
    return metric.value is None or metric.value in line


def _directive(metric: Metric) -> dict[str, Any]:
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [["Environment", *metric.dimensions]],
        "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
    }
