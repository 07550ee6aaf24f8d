"""Which log events are measured. A line carries its metric in itself, in CloudWatch's embedded metric format (EMF), so
nothing else is sent, and behind each number of a graph stand the lines that made it.

Each combination of dimensions is billed as a metric of its own, so a dimension has few values: never an id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

NAMESPACE = "BBWS/Products"


@dataclass(frozen=True, slots=True)
class Metric:
    """``value`` names the fact that is measured, without one the events are counted; ``dimensions`` name facts too."""

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
    ),
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
"""The metrics of each event. ``HttpLatency`` is of the answers that are logged, so counts of calls are AWS's own."""


def metric_fields(line: Mapping[str, Any], environment: str, at: datetime) -> dict[str, Any]:
    """What a log line needs beyond its facts to be a metric, too; nothing when its event is not measured.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    metrics = [
        metric
        for metric in METRICS.get(line["event"], ())
        if metric.value is None or metric.value in line
    ]
    if not metrics:
        return {}
    targets: dict[str, Any] = {"Environment": environment}
    directives = []
    for metric in metrics:
        targets[metric.name] = line[metric.value] if metric.value else 1
        targets |= {
            name: str(line.get(fact, "unknown")) for name, fact in metric.dimensions.items()
        }
        directives.append(
            {
                "Namespace": NAMESPACE,
                "Dimensions": [["Environment", *metric.dimensions]],
                "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
            }
        )
    return {
        **targets,
        "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": directives},
    }
