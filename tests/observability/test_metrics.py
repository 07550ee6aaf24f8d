"""Each measured event is what CloudWatch makes a metric of, and nothing in it makes many."""

import json
import logging

import jsonschema
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
"""The embedded metric format, as its specification has it (the address is in ``bbws_products/metrics.py``)."""
FACTS = {
    "effect": "stored",
    "seconds": 1.25,
    "task": "products.persist",
    "oldest_seconds": 0,
    "stalled_jobs": 2,
    "duration_ms": 12.5,
    "endpoint": "GET /v1.0/products",
    "status_class": "2xx",
}


def written(event: str, environment: str | None = "test", **facts: object) -> dict[str, object]:
    record = logging.makeLogRecord({"msg": event, "levelname": "INFO", "name": "products", **facts})
    return dict(json.loads(JsonFormatter(environment).format(record)))


@pytest.mark.parametrize("event", METRICS)
def test_a_measured_event_is_a_metric_by_the_specification(event: str) -> None:
    line = written(event, **FACTS)
    jsonschema.validate(line, SPECIFICATION)
    directives = line["_aws"]["CloudWatchMetrics"]  # type: ignore[index] # the schema says so
    assert len(directives) == len(METRICS[event])
    for directive in directives:
        (metric,), (dimensions,) = directive["Metrics"], directive["Dimensions"]
        assert isinstance(line[metric["Name"]], int | float)
        assert all(
            isinstance(line[name], str) and 0 < len(line[name]) <= 1024 for name in dimensions
        )
        assert dimensions[0] == "Environment"


def test_what_is_not_measured_or_switched_off_is_only_a_line() -> None:
    assert "_aws" not in written("message sent", **FACTS)
    assert "_aws" not in written("change accepted", None, **FACTS)
    assert "_aws" not in written("effect stamped")  # without the fact that would be measured


def test_no_id_is_a_dimension_and_no_name_means_two_things() -> None:
    metrics = [metric for measured in METRICS.values() for metric in measured]
    facts = {fact for metric in metrics for fact in metric.dimensions.values()}
    assert facts <= {"effect", "task", "endpoint", "status_class"}
    names = [name for metric in metrics for name in (metric.name, *metric.dimensions)]
    assert not {"time", "level", "logger", "event", *FACTS} & set(
        names
    )  # members of the same object
    assert len({metric.name for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("event", METRICS)
def test_each_measured_event_is_one_that_happens(event: str) -> None:
    sources = [
        path
        for room in ("products", "tasks", "bbws_products")
        for path in (ROOT / room).rglob("*.py")
    ]
    assert [
        path.name
        for path in sources
        if f'"{event}"' in path.read_text() and path.name != "metrics.py"
    ]
