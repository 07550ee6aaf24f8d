"""Names, policies and settings stay within AWS's limits, which the offline provider does not know.

The limits are those of the services' documents of quotas.
"""

import json
from collections import defaultdict
from typing import Any

import pytest

from tests.infra.test_apply_role import FOLDER, names
from tests.infra.test_terraform import CONSUMERS
from tests.support.terraform import PlannedEnvironment

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

NAME_LIMITS = {
    ("aws_backup_plan", "name"): 50,
    ("aws_backup_vault", "name"): 50,
    ("aws_budgets_budget", "name"): 100,
    ("aws_cloudfront_cache_policy", "name"): 128,
    ("aws_cloudfront_origin_access_control", "name"): 64,
    ("aws_cloudwatch_composite_alarm", "alarm_name"): 255,
    ("aws_cloudwatch_dashboard", "dashboard_name"): 255,
    ("aws_cloudwatch_log_group", "name"): 512,
    ("aws_cloudwatch_metric_alarm", "alarm_name"): 255,
    ("aws_db_instance", "identifier"): 63,
    ("aws_dynamodb_table", "name"): 255,
    ("aws_ecs_cluster", "name"): 255,
    ("aws_iam_role", "name"): 64,
    ("aws_iam_role_policy", "name"): 128,
    ("aws_lambda_function", "description"): 256,
    ("aws_lambda_function", "function_name"): 64,
    ("aws_lb", "name"): 32,
    ("aws_lb_target_group", "name"): 32,
    ("aws_opensearch_domain", "domain_name"): 28,
    ("aws_s3_bucket", "bucket"): 63,
    ("aws_scheduler_schedule", "description"): 512,
    ("aws_scheduler_schedule", "name"): 64,
    ("aws_sns_topic", "name"): 256,
    ("aws_sqs_queue", "name"): 80,
    ("aws_wafv2_web_acl", "name"): 128,
}
"""The longest value of an attribute, in characters."""
MAX_ENVIRONMENT_BYTES = 4096
MAX_INLINE_POLICIES, MAX_MANAGED_POLICY = 10_240, 6144
MAX_RESOURCE_POLICY = {"aws_s3_bucket_policy": 20_480, "aws_sns_topic_policy": 30_720}
MAX_ALARM_METRICS, MAX_DASHBOARD_WIDGETS, MAX_DESCRIPTION = 10, 500, 1024
LONGEST_REGION = "ap-southeast-2"


def without_spaces(policy: str) -> int:
    """Return the size of a policy as IAM counts it."""
    return len("".join(policy.split()))


def test_names_are_short_enough(infra: PlannedEnvironment) -> None:
    too_long = [
        (kind, values[attribute])
        for (kind, attribute), most in NAME_LIMITS.items()
        for values in infra.of_type(kind).values()
        if len(values[attribute]) > most
    ]
    assert too_long == []


def test_environments_of_functions_fit(infra: PlannedEnvironment) -> None:
    for name, function in infra.functions.items():
        variables = function["environment"][0]["variables"]
        size = sum(len(f"{key}{value}".encode()) for key, value in variables.items())
        assert size < 0.75 * MAX_ENVIRONMENT_BYTES, name  # extra_environment needs room


def test_policies_of_each_role_fit(infra: PlannedEnvironment) -> None:
    sizes: dict[str, int] = defaultdict(int)
    for policy in infra.of_type("aws_iam_role_policy").values():
        sizes[policy["role"]] += without_spaces(policy["policy"])
    assert max(sizes.values()) < MAX_INLINE_POLICIES
    for kind, most in MAX_RESOURCE_POLICY.items():
        for policy in infra.of_type(kind).values():
            assert without_spaces(policy["policy"]) < most


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json.tftpl")), ids=lambda path: path.name)
def test_policies_of_the_account_fit_with_the_longest_names(path: Any) -> None:
    text = path.read_text()
    for placeholder, value in names("prod", LONGEST_REGION).items():
        text = text.replace(f"${{{placeholder}}}", value)
    assert without_spaces(text) < MAX_MANAGED_POLICY


def test_alarms_have_values_that_cloudwatch_accepts(infra: PlannedEnvironment) -> None:
    for name, alarm in infra.by_attribute("aws_cloudwatch_metric_alarm", "alarm_name").items():
        queries = alarm.get("metric_query") or []
        metrics = [part["metric"][0] for part in queries if part["metric"]]
        assert len(metrics) <= MAX_ALARM_METRICS, name
        assert len(alarm["alarm_description"]) <= MAX_DESCRIPTION, name
        periods = {alarm["period"], *(metric["period"] for metric in metrics)} - {None, 0}
        assert len(periods) == 1, name
        [period] = periods
        assert period in (10, 30) or period % 60 == 0, name
        # A day, the limit for alarms of any period.
        assert period * alarm["evaluation_periods"] <= 86_400, name
        assert alarm["datapoints_to_alarm"] <= alarm["evaluation_periods"], name
        assert alarm["treat_missing_data"] in ("breaching", "notBreaching"), name


def test_dashboard_is_valid_and_small(infra: PlannedEnvironment) -> None:
    for dashboard in infra.of_type("aws_cloudwatch_dashboard").values():
        body = json.loads(dashboard["dashboard_body"])
        assert 0 < len(body["widgets"]) <= MAX_DASHBOARD_WIDGETS
        assert all(widget["x"] + widget["width"] <= 24 for widget in body["widgets"])
        regions = {widget["properties"].get("region") for widget in body["widgets"]} - {None}
        assert regions <= {infra.variable("region"), "us-east-1"}


def test_queues_hide_messages_six_times_as_long_as_their_consumer_works(
    infra: PlannedEnvironment,
) -> None:
    queues = infra.by_attribute("aws_sqs_queue", "arn")
    mappings = infra.of_type("aws_lambda_event_source_mapping").values()
    assert len(mappings) == 4
    for mapping in mappings:
        queue = queues[mapping["event_source_arn"]]
        [consumer] = [name for name, part in CONSUMERS.items() if f"-{part}-" in queue["name"]]
        timeout = infra.functions[consumer]["timeout"]
        assert queue["visibility_timeout_seconds"] >= 6 * timeout


def test_secrets_of_functions_fit_into_one_call(infra: PlannedEnvironment) -> None:
    """Settings read one page of at most ten parameters below the prefix."""
    prefixes = {
        f["environment"][0]["variables"].get("SECRETS_SSM_PREFIX") for f in infra.functions.values()
    } - {None}
    assert prefixes == {f"/bbws-products/{infra.env}/"}


def test_each_log_group_exists_before_its_function(infra: PlannedEnvironment) -> None:
    """Otherwise Lambda creates it, without retention, and the apply fails."""
    groups = set(infra.by_attribute("aws_cloudwatch_log_group", "name"))
    for function in infra.functions.values():
        assert function["logging_config"][0]["log_group"] in groups


def test_alarms_can_publish_to_their_encrypted_topics(infra: PlannedEnvironment) -> None:
    key = json.loads((FOLDER / "key-alerts.json.tftpl").read_text())
    services = {
        statement["Principal"].get("Service"): statement["Action"] for statement in key["Statement"]
    }
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(services["cloudwatch.amazonaws.com"])
    for topic in infra.of_type("aws_sns_topic").values():
        assert topic["kms_master_key_id"] != "alias/aws/sns"  # CloudWatch may not use that key
