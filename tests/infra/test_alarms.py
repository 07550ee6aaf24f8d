"""Each alarm starts for the trouble it is named after, and stays silent on a normal day."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.infra.alarm_samples import BUSY, QUIET, Traffic, normal, trouble
from tests.support.alarms import Alarm, Query, Series, aggregate, combine, parsed
from tests.support.terraform import PlannedEnvironment

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]
each_traffic = pytest.mark.parametrize("traffic", [QUIET, BUSY], ids=lambda traffic: traffic.name)
OFTEN = {"api-refusals", "api-latency", "api-read-latency"}
"""Alarms about many requests; on a quiet day `api-slow` and the errors' alarms replace them."""
DAILY = {"backup-copies"}
"""Alarms about whole days, which the samples of a busy time do not have."""


def alarms(infra: PlannedEnvironment) -> dict[str, Alarm]:
    """Return the alarms by short name."""
    found = infra.by_attribute("aws_cloudwatch_metric_alarm", "alarm_name")
    return {
        name.removeprefix("bbws-product-").removesuffix(f"-{infra.env}"): parsed(alarm)
        for name, alarm in found.items()
    }


def _samples(metric: str, dimensions: Mapping[str, str], *, alarm: str, traffic: Traffic) -> Series:
    """Return the samples of an alarm's trouble."""
    usual = QUIET if alarm in DAILY else traffic
    return trouble(alarm)(metric, BUSY if alarm in OFTEN else usual)


@each_traffic
def test_alarm_starts_for_its_trouble(infra: PlannedEnvironment, traffic: Traffic) -> None:
    silent = [
        name
        for name, alarm in alarms(infra).items()
        if not alarm.fires(partial(_samples, alarm=name, traffic=traffic))
    ]
    assert silent == []


@each_traffic
def test_alarm_is_silent_on_a_normal_day(infra: PlannedEnvironment, traffic: Traffic) -> None:
    if (infra.env, traffic) == ("dev", BUSY):
        return  # dev's account has a concurrency of ten, and is never busy

    def source(metric: str, _: Any) -> Series:
        return normal(metric, traffic)

    started = [name for name, alarm in alarms(infra).items() if alarm.fires(source)]
    assert started == []


def test_relay_that_does_not_run_starts_an_alarm(infra: PlannedEnvironment) -> None:
    def nothing(_: str, __: Any) -> Series:
        return [[] for _ in range(60)]

    started = {name for name, alarm in alarms(infra).items() if alarm.fires(nothing)}
    tasks = {"admin-tasks", "web-tasks"} if infra.env != "dev" else set()
    assert started == {"open-changes"} | tasks


def test_one_failing_operation_of_the_table_suffices(infra: PlannedEnvironment) -> None:
    def only_puts(_: str, dimensions: Mapping[str, str]) -> Series:
        failures = dimensions["Operation"] == "PutItem"
        return [[1] if failures else [] for _ in range(60)]

    assert alarms(infra)["table-system-errors"].fires(only_puts)


# The evaluation itself


def test_statistics_are_those_of_cloudwatch() -> None:
    series = [[1, 2, 3], [], [4], [], [5]]
    expected = {"Sum": 10, "Average": 2.5, "Maximum": 4, "Minimum": 1, "p50": 2, "p95": 4}
    for statistic, first in expected.items():
        query = Query("m", {}, statistic, 180)
        assert aggregate(series, query) == [first, 5]
    assert aggregate(series, Query("m", {}, "Sum", 60)) == [6, None, 4, None, 5]


@pytest.mark.parametrize(
    ("expression", "values", "result"),
    [
        ("IF(a >= 3, 100 * a / b, 0)", {"a": 3, "b": 4}, 75),
        ("IF(a >= 3, 100 * a / b, 0)", {"a": 2, "b": 4}, 0),
        ("IF(a >= 3, 100 * a / b, 0)", {"a": None, "b": 4}, None),
        ("IF(a >= 3, 100 * a / b, 0)", {"a": 0, "b": 0}, None),
        ("SUM([FILL(a, 0), FILL(b, 0)])", {"a": None, "b": 2}, 2),
        ("SUM([FILL(a, 0), FILL(b, 0)])", {"a": None, "b": None}, 0),
    ],
)
def test_expressions_handle_missing_data(
    expression: str, values: dict[str, float | None], result: float | None
) -> None:
    assert combine(expression, values) == result


@pytest.mark.parametrize(
    ("missing", "minutes", "fires"),
    [
        ("notBreaching", [9, 9, 9, 0, 0], True),
        ("notBreaching", [9, None, 9, None, 0], False),
        ("breaching", [9, None, 9, None, 0], True),
        ("notBreaching", [9, 9, 0, 0, 0, 9], False),
    ],
)
def test_alarm_needs_its_datapoints(missing: str, minutes: list[float | None], fires: bool) -> None:
    query = {"value": Query("m", {}, "Maximum", 60)}
    alarm = Alarm(query, "value", "GreaterThanThreshold", 5, 3, 5, missing)
    series = [[] if value is None else [value] for value in minutes]
    assert alarm.fires(lambda _, __: series) is fires
