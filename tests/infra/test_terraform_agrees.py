"""Settings, embedded engines and Terraform agree on every queue, key, index, address and name."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from deploy.local.engines import ROOT, Engines, app_environment
from products import relay
from products.adapters.cloudfront import PATHS
from products.adapters.dynamodb.definition import table_definition
from products.adapters.dynamodb.items import idempotency_item
from products.bulk import jobs
from products.changes import Origin
from products.idempotency import IdempotencyKey, IdempotencyRecord
from products.reconciliation import drift_scan
from tasks.queues import (
    DLQ_RETENTION_DAYS,
    LONG_POLL_SECONDS,
    MAX_RECEIVE_COUNT,
    RELAY,
    RETENTION_DAYS,
    SCHEDULED,
    VERIFY,
    VISIBILITY_SECONDS,
    dlq_name,
    queue_names,
)
from tests.support.api_client import Api
from tests.support.deployed_variables import variables
from tests.support.terraform import PlannedEnvironment

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

DAY = 86_400
SECRET = {"SECRET_KEY": "s" * 40, "TOKEN_KEYS": "t" * 40}


# Queues


def _attributes(infra: PlannedEnvironment, queue: str) -> dict[str, str]:
    """Return a queue's attributes in Terraform, named as in SQS."""
    queues = infra.by_attribute("aws_sqs_queue", "name")
    main, dead = queues[queue], queues[dlq_name(queue, infra.env)]
    return {
        "VisibilityTimeout": str(main["visibility_timeout_seconds"]),
        "MessageRetentionPeriod": str(main["message_retention_seconds"]),
        "ReceiveMessageWaitTimeSeconds": str(main["receive_wait_time_seconds"]),
        "maxReceiveCount": str(json.loads(main["redrive_policy"])["maxReceiveCount"]),
        "dead": json.loads(main["redrive_policy"])["deadLetterTargetArn"].rpartition(":")[2],
        "dead for": str(dead["message_retention_seconds"]),
    }


def _embedded_attributes(queue: str) -> dict[str, str]:
    """Return the same attributes of a queue on the embedded engine."""
    sqs: Any = boto3.client("sqs")

    def attributes(name: str) -> dict[str, str]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])

    main, dead = attributes(queue), attributes(dlq_name(queue, "test"))
    redrive = json.loads(main["RedrivePolicy"])
    shared = {
        name: main[name]
        for name in ("VisibilityTimeout", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds")
    }
    return shared | {
        "maxReceiveCount": str(redrive["maxReceiveCount"]),
        "dead": redrive["deadLetterTargetArn"].rpartition(":")[2],
        "dead for": dead["MessageRetentionPeriod"],
    }


def test_queues_agree_in_terraform_settings_and_engine(
    infra: PlannedEnvironment, engines: Engines
) -> None:
    names = queue_names(infra.env)
    dead = {dlq_name(queue, infra.env) for queue in names.values()}
    assert set(infra.by_attribute("aws_sqs_queue", "name")) == set(names.values()) | dead
    for task, queue in names.items():
        expected = {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_DAYS * DAY),
            "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
            "maxReceiveCount": str(MAX_RECEIVE_COUNT),
            "dead": dlq_name(queue, infra.env),
            "dead for": str(DLQ_RETENTION_DAYS * DAY),
        }
        embedded = _embedded_attributes(queue_names("test")[task])
        assert _attributes(infra, queue) == expected
        embedded["dead"] = embedded["dead"].removesuffix("test") + infra.env
        assert embedded == expected


def test_dead_letter_queues_accept_only_their_own_queue(infra: PlannedEnvironment) -> None:
    arns = {
        values["arn"]: name for name, values in infra.by_attribute("aws_sqs_queue", "name").items()
    }
    allowed = infra.of_type("aws_sqs_queue_redrive_allow_policy").values()
    pairs = {}
    for rule in allowed:
        policy = json.loads(rule["redrive_allow_policy"])
        assert policy["redrivePermission"] == "byQueue"
        [source] = policy["sourceQueueArns"]
        pairs[arns[source]] = rule["queue_url"]
    assert set(pairs) == set(queue_names(infra.env).values())


# The table


def test_table_agrees_in_terraform_and_code(infra: PlannedEnvironment) -> None:
    [planned] = infra.of_type("aws_dynamodb_table").values()
    defined = table_definition(f"bbws-products-{infra.env}")
    assert planned["name"] == defined["TableName"]
    assert planned["billing_mode"] == defined["BillingMode"]
    assert [planned["hash_key"], planned["range_key"]] == _key_names(defined)
    types = {
        (part["AttributeName"], part["AttributeType"]) for part in defined["AttributeDefinitions"]
    }
    assert {(part["name"], part["type"]) for part in planned["attribute"]} == types
    indexes = {
        index["name"]: [index["hash_key"], index["range_key"], index["projection_type"]]
        for index in planned["global_secondary_index"]
    }
    assert indexes == {
        index["IndexName"]: [*_key_names(index), index["Projection"]["ProjectionType"]]
        for index in defined["GlobalSecondaryIndexes"]
    }


def _key_names(definition: dict[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in definition["KeySchema"]]


def test_items_have_the_expiry_attribute_of_the_table(infra: PlannedEnvironment) -> None:
    [planned] = infra.of_type("aws_dynamodb_table").values()
    origin = Origin(
        actor="ann", source="api", request_id="r", idempotency_key=IdempotencyKey("key", "print")
    )
    item = idempotency_item(origin, IdempotencyRecord("print", ()), datetime.now(UTC))
    assert planned["ttl"][0]["enabled"]
    assert planned["ttl"][0]["attribute_name"] in item


# Names and settings


def test_settings_load_with_the_variables_of_terraform(infra: PlannedEnvironment) -> None:
    """Start one process for each settings module, with the variables of one of its users."""
    by_module = {
        found.get("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full"): found
        for found in variables(infra).values()
    }
    for module, found in by_module.items():
        if importlib.util.find_spec(module) is None:
            continue
        environment = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1", **found}
        environment["DJANGO_SETTINGS_MODULE"] = module
        if environment.pop("SECRETS_SSM_PREFIX", None):
            environment |= SECRET  # in place of the parameters in SSM
        code = "from django.conf import settings as s; print(s.PRODUCTS_TABLE, s.SEARCH_ALIAS)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.stdout.split() == [f"bbws-products-{infra.env}"] * 2, done.stderr[-500:]


def test_bucket_names_agree_with_local_runs(infra: PlannedEnvironment) -> None:
    local = app_environment(Engines(Path("unused")), env=infra.env, home=Path("unused"))
    buckets = set(infra.by_attribute("aws_s3_bucket", "bucket"))
    assert local["AUDIT_BUCKET"] in buckets
    assert f"{local['MEDIA_BUCKET']}-{infra.variable('account_id')}" in buckets
    found = variables(infra)["audit-logger"]
    assert found["AUDIT_BUCKET"] == local["AUDIT_BUCKET"]
    region, account = infra.variable("region"), infra.variable("account_id")
    assert found["SQS_QUEUE_URL_PREFIX"] == f"https://sqs.{region}.amazonaws.com/{account}"


def test_consumers_have_no_keys(infra: PlannedEnvironment) -> None:
    keyless = {
        name
        for name, found in variables(infra).items()
        if not {"SECRETS_SSM_PREFIX", "SECRET_KEY"} & set(found)
    }
    assert keyless == {"creator", "cache-invalidator", "search-indexer", "audit-logger"}
    prefix = variables(infra)["get"]["SECRETS_SSM_PREFIX"]
    for task in infra.of_type("aws_ecs_task_definition").values():
        [container] = json.loads(task["container_definitions"])
        parameters = {pair["name"]: pair["valueFrom"] for pair in container["secrets"]}
        for name in SECRET:
            assert parameters[name].endswith(f":parameter{prefix}{name}")


def test_state_contains_no_secrets_of_the_application(infra: PlannedEnvironment) -> None:
    """Terraform knows only one secret: the key that CloudFront sends to API Gateway."""
    secret_types = {
        "aws_ssm_parameter",
        "aws_secretsmanager_secret_version",
        "random_password",
    }
    types = {resource["type"] for resource in infra.resources}
    assert types & secret_types == set()
    for database in infra.of_type("aws_db_instance").values():
        assert database["manage_master_user_password"]


# Addresses


def _routes(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, set[str]]]:
    """Yield each path of Django's URLs with its methods."""
    for pattern in patterns:
        route = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        path = prefix + route.replace("product_id", "productId")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, _methods(pattern.callback)


def _methods(callback: Any) -> set[str]:
    view = getattr(callback, "view_class", getattr(callback, "cls", None))
    if view is None:
        return {"GET", "HEAD"}
    methods = {method.upper() for method in view.http_method_names if hasattr(view, method)}
    return methods | {"HEAD"} if "GET" in methods else methods


def test_gateway_has_the_paths_and_methods_of_django(infra: PlannedEnvironment) -> None:
    routes = dict(_routes(get_resolver("bbws_products.urls_api").url_patterns))
    in_gateway: dict[str, set[str]] = {}
    for address in infra.of_type("aws_api_gateway_method"):
        found = re.search(r'\["(\w+) (\S+)"\]$', address)
        assert found
        method, path = found.groups()
        in_gateway.setdefault(path, set()).add(method)
    assert in_gateway == {path: methods - {"TRACE"} for path, methods in routes.items()}


# The cache


@pytest.mark.django_db
def test_cache_key_contains_every_header_of_vary(
    infra: PlannedEnvironment, public: Api, p1: str
) -> None:
    [policy] = infra.of_type("aws_cloudfront_cache_policy").values()
    key = policy["parameters_in_cache_key_and_forwarded_to_origin"][0]
    names = {name.lower() for name in key["headers_config"][0]["headers"][0]["items"]}
    for path in ("/products", p1):
        answer = public("get", path, Origin="https://portal.example.com")
        varies = {name.strip().lower() for name in answer["Vary"].split(",")}
        assert varies - {"cookie"} <= names  # CloudFront forwards no cookies
    [request] = infra.of_type("aws_cloudfront_origin_request_policy").values()
    assert {
        request["cookies_config"][0]["cookie_behavior"],
        key["cookies_config"][0]["cookie_behavior"],
    } == {"none"}
    assert key["query_strings_config"][0]["query_string_behavior"] == "all"


def test_exactly_the_purged_paths_are_cached_with_strong_etags(
    infra: PlannedEnvironment,
) -> None:
    [distribution] = infra.of_type("aws_cloudfront_distribution").values()
    [policy] = infra.of_type("aws_cloudfront_cache_policy").values()
    cached = [
        behaviour
        for behaviour in distribution["ordered_cache_behavior"]
        if behaviour["cache_policy_id"] == policy["id"]
    ]
    if infra.env == "dev":
        assert cached == []  # dev has no cache, and no change purges anything
        return
    assert [behaviour["path_pattern"] for behaviour in cached] == PATHS
    assert (policy["min_ttl"], policy["default_ttl"]) == (0, 0)
    assert policy["max_ttl"] >= 600
    key = policy["parameters_in_cache_key_and_forwarded_to_origin"][0]
    assert not key["enable_accept_encoding_gzip"]
    assert not key["enable_accept_encoding_brotli"]
    assert not cached[0]["compress"]
    for error in distribution["custom_error_response"]:
        assert error["error_caching_min_ttl"] == 0


def test_media_url_leads_to_the_media_bucket(infra: PlannedEnvironment) -> None:
    [distribution] = infra.of_type("aws_cloudfront_distribution").values()
    origins = {
        behaviour["path_pattern"]: behaviour["target_origin_id"]
        for behaviour in distribution["ordered_cache_behavior"]
    }
    assert origins["/products/*"] == "media"
    assert variables(infra)["get"]["MEDIA_URL"] == f"https://{distribution['domain_name']}/"
    [api] = [origin for origin in distribution["origin"] if origin["origin_id"] == "api"]
    assert [header["name"] for header in api["custom_header"]] == ["X-Api-Key"]


# Time


def test_time_budgets_end_before_the_function_timeout(infra: PlannedEnvironment) -> None:
    timeout = timedelta(seconds=infra.functions["creator"]["timeout"])
    last_call = timedelta(seconds=3)  # started just before the budget was used up
    budgets = (relay.MAX_RELAY_TIME, jobs.TIME_BUDGET, drift_scan.TIME_BUDGET)
    assert max(budgets) + last_call <= timeout


def test_schedules_name_existing_tasks(infra: PlannedEnvironment) -> None:
    schedules = infra.of_type("aws_scheduler_schedule").values()
    tasks = {json.loads(schedule["target"][0]["input"])["task"] for schedule in schedules}
    assert {RELAY, VERIFY} <= tasks <= set(SCHEDULED)
