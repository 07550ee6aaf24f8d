"""Each measured event is valid EMF, with few dimensions."""

import json
import logging
from typing import Any

import jsonschema  # type: ignore[import-untyped] # no stubs are installed
import pytest

from bbws_products.logs import JsonFormatter
from bbws_products.metrics import METRICS
from deploy.local.engines import ROOT

NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
UNITS = ["Seconds", "Milliseconds", "Count", "Bytes", "Percent", "None"]
SPECIFICATION = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_000_000_000_000},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {**NAME, "pattern": "^[^:]"},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "items": {**NAME, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {"Name": NAME, "Unit": {"enum": UNITS}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
"""The schema of the embedded metric format; ``bbws_products/metrics.py`` links to it."""
FIELDS: dict[str, Any] = {
    "effect": "stored",
    "seconds": 1.25,
    "task": "products.persist",
    "oldest_seconds": 0,
    "stalled_jobs": 2,
    "overdue_plan_seconds": 0.0,
    "late_seconds": 0.4,
    "duration_ms": 12.5,
    "endpoint": "GET /v1.0/products",
    "status_class": "2xx",
}


def log_line(
    event: str, fields: dict[str, Any] = FIELDS, environment: str | None = "test"
) -> dict[str, Any]:
    attributes = {"msg": event, "levelname": "INFO", "name": "products", **fields}
    record = logging.makeLogRecord(attributes)
    return dict(json.loads(JsonFormatter(environment).format(record)))


@pytest.mark.parametrize("event", METRICS)
def test_measured_event_meets_the_specification(event: str) -> None:
    line = log_line(event)
    jsonschema.validate(line, SPECIFICATION)
    directives = line["_aws"]["CloudWatchMetrics"]
    assert len(directives) == len(METRICS[event])
    for directive in directives:
        (metric,), (dimensions,) = directive["Metrics"], directive["Dimensions"]
        assert isinstance(line[metric["Name"]], int | float)
        for name in dimensions:
            assert isinstance(line[name], str)
            assert 0 < len(line[name]) <= 1024
        assert dimensions[0] == "Environment"


def test_other_events_and_disabled_metrics_are_plain_lines() -> None:
    assert "_aws" not in log_line("message sent")
    assert "_aws" not in log_line("change accepted", environment=None)
    assert "_aws" not in log_line("effect stamped", {})  # without the measured field


def test_no_id_is_a_dimension_and_names_are_unique() -> None:
    metrics = [metric for measured in METRICS.values() for metric in measured]
    dimensions = {name for metric in metrics for name in metric.dimensions.values()}
    assert dimensions <= {"effect", "task", "endpoint", "status_class"}
    names = {name for metric in metrics for name in (metric.name, *metric.dimensions)}
    # Metrics and log fields are members of the same JSON object.
    assert not {"time", "level", "logger", "event", *FIELDS} & names
    assert len({metric.name for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("event", METRICS)
def test_each_measured_event_is_logged(event: str) -> None:
    paths = [
        path
        for folder in ("products", "tasks", "bbws_products")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "metrics.py"
    ]
    assert any(f'"{event}"' in path.read_text() for path in paths)
