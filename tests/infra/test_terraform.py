"""What Terraform would make in each environment: named as planned, watched, kept, encrypted, and nothing public."""

import json
import re
from typing import Any

import pytest

from deploy.local.engines import ROOT
from tests.support.terraform import ENVIRONMENTS, SOURCE, PlannedEnvironment

# The first test to come plans all environments.
pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

API = {"list", "get", "create", "update", "delete"}
CONSUMERS = {
    "creator": "change",
    "cache-invalidator": "cache",
    "search-indexer": "search",
    "audit-logger": "audit",
}
BATCHES = {"change": 10, "cache": 10, "search": 5, "audit": 10}
RETENTION = {"dev": 90, "sit": 180, "prod": 365}
REGION = {"dev": "eu-west-1", "sit": "eu-west-1", "prod": "af-south-1"}


def test_everything_is_named_as_planned(infra: PlannedEnvironment) -> None:
    env = infra.env
    assert set(infra.functions) == API | set(CONSUMERS)
    assert set(infra.by("aws_dynamodb_table", "name")) == {f"bbws-products-{env}"}
    assert f"bbws-product-api-{env}" in infra.by("aws_api_gateway_rest_api", "name")
    assert f"bbws-product-alerts-{env}" in infra.by("aws_sns_topic", "name")
    assert set(infra.by("aws_s3_bucket", "bucket")) == {
        f"bbws-product-{part}-{env}" for part in ("audit", "media", "logs")
    }


def test_an_environment_is_in_its_region_and_in_no_other_account(infra: PlannedEnvironment) -> None:
    assert infra.variable("region") == REGION[infra.env]
    text = (SOURCE / "environments" / f"{infra.env}.tfbackend").read_text()
    assert f'"{infra.variable("account_id")}"' in text
    assert re.search(r"use_lockfile\s+= true", text)
    providers = infra.plan["configuration"]["provider_config"]
    assert all(
        p["expressions"]["allowed_account_ids"]["references"] == ["var.account_id"]
        for p in providers.values()
    )


def test_everything_is_tagged(infra: PlannedEnvironment) -> None:
    providers = infra.plan["configuration"]["provider_config"]
    assert len(providers) == 2
    assert all(
        p["expressions"]["default_tags"][0]["tags"]["references"] == ["local.tags"]
        for p in providers.values()
    )


def test_functions_are_the_same_zip_small_and_quicker_than_their_callers(
    infra: PlannedEnvironment,
) -> None:
    for name, function in infra.functions.items():
        assert (function["runtime"], function["architectures"], function["memory_size"]) == (
            "python3.12",
            ["arm64"],
            256,
        )
        assert function["s3_key"] == infra.variable("package_key")
        assert function["timeout"] < 29 if name in API else function["timeout"] * 6 <= 60
        handler = "bbws_products.aws_lambda.handler" if name in API else "tasks.aws_lambda.handler"
        assert function["handler"] == handler
        assert function["tracing_config"][0]["mode"] == "Active"


def test_a_function_has_a_role_a_log_and_an_alias_of_its_own(infra: PlannedEnvironment) -> None:
    roles = {function["role"] for function in infra.functions.values()}
    assert len(roles) == len(infra.functions)
    names = {function["function_name"] for function in infra.functions.values()}
    assert {alias["function_name"] for alias in infra.of("aws_lambda_alias").values()} == names
    assert {alias["name"] for alias in infra.of("aws_lambda_alias").values()} == {"live"}
    assert {f"/aws/lambda/{name}" for name in names} <= set(
        infra.by("aws_cloudwatch_log_group", "name")
    )


def test_logs_are_kept_as_long_as_the_environment_wants(infra: PlannedEnvironment) -> None:
    groups = infra.of("aws_cloudwatch_log_group")
    assert len(groups) >= 10
    assert {group["retention_in_days"] for group in groups.values()} == {RETENTION[infra.env]}


def test_each_queue_has_one_consumer_that_answers_for_each_message(
    infra: PlannedEnvironment,
) -> None:
    mappings = infra.of("aws_lambda_event_source_mapping")
    consumed = {}
    for mapping in mappings.values():
        assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
        assert mapping["maximum_batching_window_in_seconds"] == 0
        assert mapping["scaling_config"][0]["maximum_concurrency"] >= 2
        queue = re.sub(r".*:bbws-product-(\w+)-\w+$", r"\1", mapping["event_source_arn"])
        consumed[queue] = mapping["batch_size"]
    assert consumed == BATCHES
    live = infra.plan["configuration"]["root_module"]["resources"]
    [mapping] = [r for r in live if r["type"] == "aws_lambda_event_source_mapping"]
    assert "module.function" in mapping["expressions"]["function_name"]["references"]


def test_the_schedule_calls_what_is_live(infra: PlannedEnvironment) -> None:
    schedules = infra.of("aws_scheduler_schedule")
    runs = {
        s["schedule_expression"]: json.loads(s["target"][0]["input"]) for s in schedules.values()
    }
    assert runs == {
        "rate(1 minute)": {"task": "products.relay"},
        "rate(5 minutes)": {"task": "products.verify"},
    }
    aliases = {alias["arn"] for alias in infra.of("aws_lambda_alias").values()}
    assert {schedule["target"][0]["arn"] for schedule in schedules.values()} <= aliases


def test_nothing_is_public_and_all_of_it_is_encrypted(infra: PlannedEnvironment) -> None:
    buckets = set(infra.by("aws_s3_bucket", "bucket"))
    for kind in (
        "public_access_block",
        "server_side_encryption_configuration",
        "versioning",
        "ownership_controls",
    ):
        assert len(infra.of(f"aws_s3_bucket_{kind}")) == len(buckets), kind
    for block in infra.of("aws_s3_bucket_public_access_block").values():
        assert all(
            value
            for name, value in block.items()
            if name.startswith(("block_", "ignore_", "restrict_"))
        )
    assert all(queue["sqs_managed_sse_enabled"] for queue in infra.of("aws_sqs_queue").values())
    [table] = infra.of("aws_dynamodb_table").values()
    assert table["server_side_encryption"][0]["enabled"]
    [domain] = infra.of("aws_opensearch_domain").values()
    assert domain["encrypt_at_rest"][0]["enabled"]
    assert domain["domain_endpoint_options"][0]["enforce_https"]
    assert all(topic["kms_master_key_id"] for topic in infra.of("aws_sns_topic").values())
    assert all(database["storage_encrypted"] for database in infra.of("aws_db_instance").values())


def test_only_tls_is_spoken(infra: PlannedEnvironment) -> None:
    def refuses_plain(policy: str) -> bool:
        refusals = [s for s in json.loads(policy)["Statement"] if s["Effect"] == "Deny"]
        return any(s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for s in refusals)

    policies = [
        *infra.of("aws_s3_bucket_policy").values(),
        *infra.of("aws_sqs_queue_policy").values(),
    ]
    policies += infra.of("aws_sns_topic_policy").values()
    assert len(policies) == 3 + 8 + 2
    assert all(refuses_plain(policy["policy"]) for policy in policies)


def test_what_is_written_once_cannot_be_taken_away(infra: PlannedEnvironment) -> None:
    [table] = infra.of("aws_dynamodb_table").values()
    assert table["point_in_time_recovery"][0]["enabled"]
    assert table["deletion_protection_enabled"] is (infra.env != "dev")
    [lock] = infra.of("aws_s3_bucket_object_lock_configuration").values()
    assert lock["bucket"] == f"bbws-product-audit-{infra.env}"
    mode = lock["rule"][0]["default_retention"][0]["mode"]
    assert mode == ("COMPLIANCE" if infra.env == "prod" else "GOVERNANCE")


def test_every_alarm_reaches_somebody_and_names_its_page(infra: PlannedEnvironment) -> None:
    alarms = infra.of("aws_cloudwatch_metric_alarm")
    topics = {topic["arn"] for topic in infra.of("aws_sns_topic").values()}
    pages = set(
        re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    )
    for alarm in alarms.values():
        assert set(alarm["alarm_actions"]) == set(alarm["ok_actions"]) <= topics
        page = re.search(r"docs/operations\.md#([a-z-]+)$", alarm["alarm_description"])
        assert page
        assert page[1] in pages


def test_every_function_queue_table_and_index_is_watched(infra: PlannedEnvironment) -> None:
    watched = {json.dumps(d, sort_keys=True) for d in _dimensions(infra)}
    for function in infra.functions.values():
        assert json.dumps({"FunctionName": function["function_name"]}) in watched
    for queue in infra.by("aws_sqs_queue", "name"):
        assert json.dumps({"QueueName": queue}) in watched
    [table] = infra.of("aws_dynamodb_table").values()
    for index in table["global_secondary_index"]:
        assert (
            json.dumps({"GlobalSecondaryIndexName": index["name"], "TableName": table["name"]})
            in watched
        )
    names = {alarm["metric_name"] for alarm in infra.of("aws_cloudwatch_metric_alarm").values()}
    assert {
        "5XXError",
        "Latency",
        "Throttles",
        "ClusterStatus.red",
        "5xxErrorRate",
        "OldestOpenChange",
        "Drift",
    } <= names


def _dimensions(infra: PlannedEnvironment) -> list[dict[str, str]]:
    alarms = infra.of("aws_cloudwatch_metric_alarm").values()
    parts = [part for alarm in alarms for part in alarm.get("metric_query") or []]
    metrics = [metric for part in parts for metric in part["metric"] or []]
    return [what["dimensions"] for what in [*alarms, *metrics] if what["dimensions"]]


def test_an_error_rate_counts_only_where_there_is_something_to_count(
    infra: PlannedEnvironment,
) -> None:
    alarm = infra.by("aws_cloudwatch_metric_alarm", "alarm_name")[
        f"bbws-product-create-errors-{infra.env}"
    ]
    [expression] = [part["expression"] for part in alarm["metric_query"] if part["return_data"]]
    rate = _rate(expression)
    assert (rate(errors=19, calls=19), rate(errors=1, calls=20), rate(errors=2, calls=20)) == (
        0,
        5,
        10,
    )
    assert (alarm["threshold"], alarm["datapoints_to_alarm"], alarm["evaluation_periods"]) == (
        5,
        3,
        5,
    )


def _rate(expression: str) -> Any:
    """CloudWatch's IF(condition, then, else) as Python has it."""
    condition, then, otherwise = re.fullmatch(r"IF\((.+), (.+), (.+)\)", expression).groups()  # type: ignore[union-attr] # or it fails
    code = compile(f"({then}) if {condition} else {otherwise}", "alarm", "eval")
    return lambda **numbers: eval(code, {}, numbers)


def test_one_alarm_wakes_somebody(infra: PlannedEnvironment) -> None:
    [page] = infra.of("aws_cloudwatch_composite_alarm").values()
    named = set(re.findall(r'ALARM\("([^"]+)"\)', page["alarm_rule"]))
    assert named <= set(infra.by("aws_cloudwatch_metric_alarm", "alarm_name"))
    assert {f"bbws-product-{queue}-dead-letters-{infra.env}" for queue in BATCHES} <= named


def test_the_dashboard_shows_what_there_is(infra: PlannedEnvironment) -> None:
    [dashboard] = infra.of("aws_cloudwatch_dashboard").values()
    shown = dashboard["dashboard_body"]
    names = [
        *infra.by("aws_sqs_queue", "name"),
        *(f["function_name"] for f in infra.functions.values()),
    ]
    assert [name for name in names if f'"{name}"' not in shown] == []


def test_the_gateway_lets_through_only_who_has_its_key_and_answers_in_our_form(
    infra: PlannedEnvironment,
) -> None:
    methods = infra.of("aws_api_gateway_method").values()
    assert all(method["api_key_required"] for method in methods)
    bodies = {method["http_method"] for method in methods if method["request_models"]}
    assert bodies == {"POST", "PUT", "PATCH"}
    answers = infra.by("aws_api_gateway_gateway_response", "response_type")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(answers)
    for answer in answers.values():
        assert "gatewayresponse.header.Access-Control-Allow-Origin" in answer["response_parameters"]
        said = answer["response_templates"]["application/json"].replace(
            "$context.error.messageString", '"x"'
        )
        assert set(json.loads(said)) == {"error", "message", "errors", "requestId"}


def test_requests_are_limited(infra: PlannedEnvironment) -> None:
    plans = infra.by("aws_api_gateway_usage_plan", "name")
    limits = {
        name.rpartition("-")[2]: plan["throttle_settings"][0]["rate_limit"]
        for name, plan in plans.items()
    }
    assert limits == {"edge": 100, "direct": 50}
    [settings] = infra.of("aws_api_gateway_method_settings").values()
    assert settings["settings"][0]["throttling_rate_limit"] == 100
    assert settings["settings"][0]["data_trace_enabled"] is False
    for plan in plans.values():
        assert {limit["rate_limit"] for limit in plan["api_stages"][0]["throttle"]} == {50}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_dev_is_functions_alone_and_the_others_have_the_admin(
    env: str, infrastructures: dict[str, PlannedEnvironment]
) -> None:
    services = set(infrastructures[env].by("aws_ecs_service", "name"))
    assert services == (set() if env == "dev" else {"web"})
