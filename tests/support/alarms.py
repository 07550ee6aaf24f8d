"""CloudWatch's evaluation of an alarm, applied to made-up samples.

A series has one list of samples a minute, as a metric receives them. They are aggregated with the
alarm's statistic over its period, combined by its expression, and compared with its threshold.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Series = Sequence[Sequence[float]]
"""The samples of each minute."""
Source = Callable[[str, Mapping[str, str]], Series]
"""Returns the series of a metric, by its name and its dimensions."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass(frozen=True)
class Query:
    """One metric of an alarm."""

    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int


@dataclass(frozen=True)
class Alarm:
    """The definition of an alarm: its metrics by id, and the expression over them."""

    queries: Mapping[str, Query]
    expression: str
    comparison: str
    threshold: float
    out: int
    of: int
    missing: str

    def fires(self, source: Source) -> bool:
        """Return whether the alarm starts at any time."""
        values = self.values(source)
        breaching = [self._is_breaching(value) for value in values]
        ends = range(self.of, len(breaching) + 1)
        return any(sum(breaching[end - self.of : end]) >= self.out for end in ends)

    def values(self, source: Source) -> list[float | None]:
        """Return the value of each period; None where there is no data."""
        aggregated = {
            name: aggregate(source(query.metric, query.dimensions), query)
            for name, query in self.queries.items()
        }
        rows = zip(*aggregated.values(), strict=True)
        return [combine(self.expression, dict(zip(aggregated, row, strict=True))) for row in rows]

    def _is_breaching(self, value: float | None) -> bool:
        if value is None:
            return self.missing == "breaching"
        return COMPARISONS[self.comparison](value, self.threshold)


def aggregate(series: Series, query: Query) -> list[float | None]:
    """Return the statistic of each period; a period without samples has no data."""
    minutes = query.period // 60
    periods = [series[start : start + minutes] for start in range(0, len(series), minutes)]
    return [
        _statistic([x for minute in period for x in minute], query.statistic) for period in periods
    ]


def _statistic(samples: list[float], name: str) -> float | None:
    if not samples:
        return None
    if name.startswith("p"):
        ordered = sorted(samples)
        rank = math.ceil(float(name[1:]) / 100 * len(ordered))
        return ordered[rank - 1]
    functions: dict[str, Callable[[list[float]], float]] = {
        "Sum": math.fsum,
        "Average": statistics.fmean,
        "Maximum": max,
        "Minimum": min,
    }
    return functions[name](samples)


def combine(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return the value of an expression; None if a metric without FILL has no data."""
    if all(value is None for value in values.values()) and "FILL" not in expression:
        return None
    functions: dict[str, Any] = {
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "SUM": sum,
        "FILL": lambda value, default: default if value is None else value,
    }
    try:
        found = eval(expression, {"__builtins__": {}}, functions | dict(values))
    except (TypeError, ZeroDivisionError):  # arithmetic with a missing value, or by zero
        return None
    return None if found is None else float(found)


def parsed(resource: Mapping[str, Any]) -> Alarm:
    """Return an alarm as Terraform plans it."""
    queries, expression = {}, "value"
    for part in resource.get("metric_query") or []:
        if part["expression"]:
            expression = part["expression"]
        for metric in part["metric"] or []:
            queries[part["id"]] = Query(
                metric["metric_name"], metric["dimensions"] or {}, metric["stat"], metric["period"]
            )
    if not queries:
        queries["value"] = Query(
            resource["metric_name"],
            resource["dimensions"] or {},
            resource["statistic"],
            resource["period"],
        )
    return Alarm(
        queries,
        expression,
        resource["comparison_operator"],
        resource["threshold"],
        resource["datapoints_to_alarm"],
        resource["evaluation_periods"],
        resource["treat_missing_data"],
    )
