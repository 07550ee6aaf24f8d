"""What Terraform creates in each environment: names, alarms, retention, encryption and limits."""

import json
import re
from collections.abc import Iterator
from itertools import chain

import pytest

from deploy.local.engines import ROOT
from products.changes import Effect
from tasks.queues import dlq_name, queue_names
from tests.support.terraform import ENVIRONMENTS, SOURCE, PlannedEnvironment

# The first of these tests to run plans all environments.
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
WatchedMetric = tuple[str, frozenset[tuple[str, str]]]
"""A metric's name and dimensions."""
REGION = {"dev": "eu-west-1", "sit": "eu-west-1", "prod": "af-south-1"}


def test_resources_have_the_documented_names(infra: PlannedEnvironment) -> None:
    env = infra.env
    assert set(infra.functions) == API | set(CONSUMERS)
    assert set(infra.by_attribute("aws_dynamodb_table", "name")) == {f"bbws-products-{env}"}
    assert f"bbws-product-api-{env}" in infra.by_attribute("aws_api_gateway_rest_api", "name")
    assert f"bbws-product-alerts-{env}" in infra.by_attribute("aws_sns_topic", "name")
    assert {function["function_name"] for function in infra.functions.values()} == {
        f"bbws-list-products-{env}",
        f"bbws-get-product-{env}",
        f"bbws-create-product-{env}",
        f"bbws-update-product-{env}",
        f"bbws-delete-product-{env}",
        f"bbws-product-creator-{env}",
        f"bbws-cache-invalidator-{env}",
        f"bbws-search-indexer-{env}",
        f"bbws-audit-logger-{env}",
    }
    account = infra.variable("account_id")
    assert set(infra.by_attribute("aws_s3_bucket", "bucket")) == {
        f"bbws-product-audit-logs-{env}",
        f"bbws-product-media-{env}-{account}",
        f"bbws-product-logs-{env}-{account}",
    }
    [stage] = infra.of_type("aws_api_gateway_stage").values()
    assert stage["stage_name"] == "v1"
    backend = (SOURCE / "environments" / f"{env}.tfbackend").read_text()
    assert f'"bbws-terraform-state-{env}"' in backend


def test_dev_has_the_account_and_flags_of_the_plan(
    infrastructures: dict[str, PlannedEnvironment],
) -> None:
    dev = infrastructures["dev"]
    assert (dev.variable("account_id"), dev.variable("region")) == ("536580886816", "eu-west-1")
    assert not dev.variable("enable_opensearch")
    assert not dev.variable("enable_cloudfront_cache")
    variables = dev.functions["list"]["environment"][0]["variables"]
    assert (variables["ENABLE_OPENSEARCH"], variables["ENABLE_CLOUDFRONT"]) == ("0", "0")
    levels = {
        env: found.functions["get"]["environment"][0]["variables"]["LOG_LEVEL"]
        for env, found in infrastructures.items()
    }
    assert levels == {"dev": "INFO", "sit": "INFO", "prod": "WARNING"}
    [audit] = [
        rules
        for rules in dev.of_type("aws_s3_bucket_lifecycle_configuration").values()
        if rules["bucket"] == "bbws-product-audit-logs-dev"
    ]
    [expiry] = [rule for rule in audit["rule"] if rule["id"] == "expire"]
    assert expiry["expiration"][0]["days"] == 90


def test_environment_is_limited_to_its_region_and_account(infra: PlannedEnvironment) -> None:
    assert infra.variable("region") == REGION[infra.env]
    text = (SOURCE / "environments" / f"{infra.env}.tfbackend").read_text()
    assert f'"{infra.variable("account_id")}"' in text
    assert re.search(r"use_lockfile\s+= true", text)
    for provider in infra.plan["configuration"]["provider_config"].values():
        allowed = provider["expressions"]["allowed_account_ids"]
        assert allowed["references"] == ["var.account_id"]


def test_everything_is_tagged(infra: PlannedEnvironment) -> None:
    providers = infra.plan["configuration"]["provider_config"]
    assert len(providers) == 2
    for provider in providers.values():
        tags = provider["expressions"]["default_tags"][0]["tags"]
        assert tags["references"] == ["local.tags"]


def test_functions_share_a_zip_and_have_short_timeouts(infra: PlannedEnvironment) -> None:
    for name, function in infra.functions.items():
        assert function["runtime"] == "python3.12"
        assert function["architectures"] == ["arm64"]
        assert function["memory_size"] == 256
        assert function["s3_key"] == infra.variable("package_key")
        # API Gateway's timeout is 29 s; the visibility timeout is 60 s, six times a consumer's.
        assert function["timeout"] < 29 if name in API else function["timeout"] * 6 <= 60
        handler = "bbws_products.aws_lambda.handler" if name in API else "tasks.aws_lambda.handler"
        assert function["handler"] == handler
        assert function["tracing_config"][0]["mode"] == "Active"


def test_each_function_has_its_own_role_log_and_alias(infra: PlannedEnvironment) -> None:
    roles = {
        function["function_name"]: function["role"].rpartition(":")[2]
        for function in infra.functions.values()
    }
    ending = f"-{infra.env}"
    assert roles == {name: f"{name.removesuffix(ending)}-role{ending}" for name in roles}
    names = {function["function_name"] for function in infra.functions.values()}
    assert {alias["function_name"] for alias in infra.of_type("aws_lambda_alias").values()} == names
    assert {alias["name"] for alias in infra.of_type("aws_lambda_alias").values()} == {"live"}
    assert {f"/aws/lambda/{name}" for name in names} <= set(
        infra.by_attribute("aws_cloudwatch_log_group", "name")
    )


def test_log_retention_depends_on_the_environment(infra: PlannedEnvironment) -> None:
    groups = infra.of_type("aws_cloudwatch_log_group")
    assert len(groups) >= 10
    assert {group["retention_in_days"] for group in groups.values()} == {RETENTION[infra.env]}


def test_each_queue_has_one_consumer_with_partial_failures(infra: PlannedEnvironment) -> None:
    mappings = infra.of_type("aws_lambda_event_source_mapping")
    consumed = {}
    for mapping in mappings.values():
        assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
        assert mapping["maximum_batching_window_in_seconds"] == 0
        assert mapping["scaling_config"][0]["maximum_concurrency"] >= 2
        queue = re.sub(r".*:bbws-product-(\w+)-\w+$", r"\1", mapping["event_source_arn"])
        consumed[queue] = mapping["batch_size"]
    assert consumed == BATCHES
    resources = infra.plan["configuration"]["root_module"]["resources"]
    [mapping] = [part for part in resources if part["type"] == "aws_lambda_event_source_mapping"]
    assert "module.function" in mapping["expressions"]["function_name"]["references"]


def test_schedules_call_the_live_version(infra: PlannedEnvironment) -> None:
    schedules = infra.of_type("aws_scheduler_schedule")
    inputs = {
        schedule["schedule_expression"]: json.loads(schedule["target"][0]["input"])
        for schedule in schedules.values()
    }
    assert inputs == {
        "rate(1 minute)": {"task": "products.relay"},
        "rate(5 minutes)": {"task": "products.verify"},
    }
    aliases = {alias["arn"] for alias in infra.of_type("aws_lambda_alias").values()}
    assert {schedule["target"][0]["arn"] for schedule in schedules.values()} <= aliases


def test_nothing_is_public_and_everything_is_encrypted(infra: PlannedEnvironment) -> None:
    buckets = set(infra.by_attribute("aws_s3_bucket", "bucket"))
    for kind in (
        "public_access_block",
        "server_side_encryption_configuration",
        "versioning",
        "ownership_controls",
    ):
        assert len(infra.of_type(f"aws_s3_bucket_{kind}")) == len(buckets), kind
    for block in infra.of_type("aws_s3_bucket_public_access_block").values():
        prefixes = ("block_", "ignore_", "restrict_")
        assert all(value for name, value in block.items() if name.startswith(prefixes))
    assert all(
        queue["sqs_managed_sse_enabled"] for queue in infra.of_type("aws_sqs_queue").values()
    )
    [table] = infra.of_type("aws_dynamodb_table").values()
    assert table["server_side_encryption"][0]["enabled"]
    domains = infra.of_type("aws_opensearch_domain").values()
    assert len(domains) == (infra.env != "dev")
    assert all(domain["encrypt_at_rest"][0]["enabled"] for domain in domains)
    assert all(domain["domain_endpoint_options"][0]["enforce_https"] for domain in domains)
    assert all(topic["kms_master_key_id"] for topic in infra.of_type("aws_sns_topic").values())
    assert all(
        database["storage_encrypted"] for database in infra.of_type("aws_db_instance").values()
    )


def test_policies_require_tls(infra: PlannedEnvironment) -> None:
    def denies_plain_http(policy: str) -> bool:
        statements = json.loads(policy)["Statement"]
        denials = [statement for statement in statements if statement["Effect"] == "Deny"]
        plain_http = {"Bool": {"aws:SecureTransport": "false"}}
        return any(statement["Condition"] == plain_http for statement in denials)

    policies = [
        *infra.of_type("aws_s3_bucket_policy").values(),
        *infra.of_type("aws_sqs_queue_policy").values(),
    ]
    policies += infra.of_type("aws_sns_topic_policy").values()
    assert len(policies) == 3 + 8 + 3
    assert all(denies_plain_http(policy["policy"]) for policy in policies)


def test_table_and_audit_trail_are_protected(infra: PlannedEnvironment) -> None:
    [table] = infra.of_type("aws_dynamodb_table").values()
    assert table["point_in_time_recovery"][0]["enabled"]
    assert table["deletion_protection_enabled"] is (infra.env != "dev")
    [lock] = infra.of_type("aws_s3_bucket_object_lock_configuration").values()
    assert lock["bucket"] == f"bbws-product-audit-logs-{infra.env}"
    # COMPLIANCE has no way back, so a person switches to it after the acceptance.
    assert lock["rule"][0]["default_retention"][0]["mode"] == "GOVERNANCE"


def test_each_alarm_notifies_a_topic_and_names_its_page(infra: PlannedEnvironment) -> None:
    alarms = infra.of_type("aws_cloudwatch_metric_alarm")
    topics = {topic["arn"] for topic in infra.of_type("aws_sns_topic").values()}
    pages = set(
        re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    )
    for alarm in alarms.values():
        assert set(alarm["alarm_actions"]) == set(alarm["ok_actions"]) <= topics
        page = re.search(r"docs/operations\.md#([a-z-]+)$", alarm["alarm_description"])
        assert page
        assert page[1] in pages


def test_each_function_queue_table_index_and_effect_has_its_alarms(
    infra: PlannedEnvironment,
) -> None:
    watched = set(_watched_metrics(infra))
    missing = [metric for metric in _metrics_that_need_an_alarm(infra) if metric not in watched]
    assert missing == []
    names = {"5XXError", "4XXError", "Latency", "5xxErrorRate", "OldestOpenChange", "Drift"}
    names |= {"ConcurrentExecutions", "TargetErrorCount"}
    if infra.env != "dev":
        names |= {"ClusterStatus.red", "Nodes", "RunningTaskCount", "HealthyHostCount"}
    assert names <= {metric for metric, _ in watched}


def _metrics_that_need_an_alarm(infra: PlannedEnvironment) -> Iterator[WatchedMetric]:
    for function in infra.functions.values():
        for metric in ("Errors", "Throttles", "Duration"):
            yield _metric(metric, FunctionName=function["function_name"])
    for queue in queue_names(infra.env).values():
        dead_letters = dlq_name(queue, infra.env)
        yield _metric("ApproximateAgeOfOldestMessage", QueueName=queue)
        yield _metric("ApproximateNumberOfMessagesVisible", QueueName=dead_letters)
    [table] = infra.of_type("aws_dynamodb_table").values()
    name = {"TableName": table["name"]}
    indexes = [{"GlobalSecondaryIndexName": i["name"]} for i in table["global_secondary_index"]]
    for index in ({}, *indexes):
        yield _metric("ReadThrottleEvents", **name, **index)
        yield _metric("WriteThrottleEvents", **name, **index)
    for effect in Effect:
        yield _metric("EffectFailures", Effect=str(effect), Environment=infra.env)


def _watched_metrics(infra: PlannedEnvironment) -> Iterator[WatchedMetric]:
    for alarm in infra.of_type("aws_cloudwatch_metric_alarm").values():
        queries = [part["metric"] or [] for part in alarm.get("metric_query") or []]
        for metric in (alarm, *chain.from_iterable(queries)):
            if metric["metric_name"]:
                yield _metric(metric["metric_name"], **(metric["dimensions"] or {}))


def _metric(name: str, **dimensions: str) -> WatchedMetric:
    return name, frozenset(dimensions.items())


def test_page_has_its_own_topic_and_only_urgent_alarms(infra: PlannedEnvironment) -> None:
    [page] = infra.of_type("aws_cloudwatch_composite_alarm").values()
    named = set(re.findall(r'ALARM\("([^"]+)"\)', page["alarm_rule"]))
    assert named <= set(infra.by_attribute("aws_cloudwatch_metric_alarm", "alarm_name"))
    urgent = ("api-errors", "open-changes", "change-queue-age", "update-errors")
    assert {f"bbws-product-{name}-{infra.env}" for name in urgent} <= named
    # The relay repeats the work of a dead letter; if that fails too, the change stays open.
    assert [name for name in named if "dead-letters" in name] == []
    topics = infra.by_attribute("aws_sns_topic", "name")
    assert page["alarm_actions"] == [topics[f"bbws-product-page-{infra.env}"]["arn"]]
    subscribed = infra.of_type("aws_sns_topic_subscription").values()
    assert {entry["topic_arn"] for entry in subscribed} == {
        topic["arn"] for topic in topics.values()
    }


def test_month_has_a_budget(infra: PlannedEnvironment) -> None:
    [budget] = infra.of_type("aws_budgets_budget").values()
    assert float(budget["limit_amount"]) == infra.variable("monthly_budget") > 0
    kinds = {entry["notification_type"]: entry["threshold"] for entry in budget["notification"]}
    assert kinds == {"ACTUAL": 80, "FORECASTED": 100}
    for entry in budget["notification"]:
        assert entry["subscriber_email_addresses"] == infra.variable("alert_emails")


def test_dashboard_shows_all_queues_and_functions(infra: PlannedEnvironment) -> None:
    [dashboard] = infra.of_type("aws_cloudwatch_dashboard").values()
    body = dashboard["dashboard_body"]
    functions = [function["function_name"] for function in infra.functions.values()]
    names = [*infra.by_attribute("aws_sqs_queue", "name"), *functions]
    assert [name for name in names if f'"{name}"' not in body] == []


def test_gateway_requires_its_key_and_formats_errors(infra: PlannedEnvironment) -> None:
    methods = infra.of_type("aws_api_gateway_method").values()
    assert all(method["api_key_required"] for method in methods)
    bodies = {method["http_method"] for method in methods if method["request_models"]}
    assert bodies == {"POST", "PUT", "PATCH"}
    answers = infra.by_attribute("aws_api_gateway_gateway_response", "response_type")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(answers)
    for answer in answers.values():
        assert "gatewayresponse.header.Access-Control-Allow-Origin" in answer["response_parameters"]
        template = answer["response_templates"]["application/json"]
        body = template.replace("$context.error.messageString", '"x"')
        assert set(json.loads(body)) == {"error", "message", "errors", "requestId"}


def test_requests_are_limited(infra: PlannedEnvironment) -> None:
    plans = infra.by_attribute("aws_api_gateway_usage_plan", "name")
    limits = {
        name.rpartition("-")[2]: plan["throttle_settings"][0]["rate_limit"]
        for name, plan in plans.items()
    }
    assert limits == {"edge": 100, "direct": 50}
    [settings] = infra.of_type("aws_api_gateway_method_settings").values()
    assert settings["settings"][0]["throttling_rate_limit"] == 100
    assert settings["settings"][0]["data_trace_enabled"] is False
    for plan in plans.values():
        by_path = {
            limit["path"]: limit["rate_limit"] for limit in plan["api_stages"][0]["throttle"]
        }
        # A batch has up to 100 items.
        assert by_path.pop("/v1.0/products:batch/POST") == 1
        assert set(by_path.values()) == {50}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_all_environments_but_dev_run_the_admin(
    env: str, infrastructures: dict[str, PlannedEnvironment]
) -> None:
    services = set(infrastructures[env].by_attribute("aws_ecs_service", "name"))
    assert services == (set() if env == "dev" else {"web"})
