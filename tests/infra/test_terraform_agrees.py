"""Settings, embedded engines and Terraform agree on every queue, key, index, address and name."""

import ast
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

from bbws_products.celery import app
from deploy.local.engines import ROOT, Engines, app_environment
from products import pipeline
from products.adapters.cloudfront import PATHS
from products.adapters.dynamodb.items import idempotency_item, table_definition
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
    VERIFY,
    VISIBILITY_SECONDS,
    dlq_name,
    queue_names,
)
from tests.support.api_client import Api
from tests.support.terraform import PlannedEnvironment

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

DAY = 86_400
SECRET = {"SECRET_KEY": "s" * 40, "TOKEN_KEYS": "t" * 40}
READ_ELSEWHERE = {
    "AWS_REGION": "boto3",
    "DJANGO_SETTINGS_MODULE": "Django",
    "PGPASSWORD": "PostgreSQL's client library",
    "PRIME": "the functions' entry point",
    "SECRETS_SSM_PREFIX": "the functions' settings, before all others",
}


# Queues


def _attributes(infra: PlannedEnvironment, queue: str) -> dict[str, str]:
    """Those of SQS, from Terraform's."""
    made = infra.by("aws_sqs_queue", "name")
    main, dead = made[queue], made[dlq_name(queue, infra.env)]
    return {
        "VisibilityTimeout": str(main["visibility_timeout_seconds"]),
        "MessageRetentionPeriod": str(main["message_retention_seconds"]),
        "ReceiveMessageWaitTimeSeconds": str(main["receive_wait_time_seconds"]),
        "maxReceiveCount": str(json.loads(main["redrive_policy"])["maxReceiveCount"]),
        "dead": json.loads(main["redrive_policy"])["deadLetterTargetArn"].rpartition(":")[2],
        "dead for": str(dead["message_retention_seconds"]),
    }


def _embedded(queue: str) -> dict[str, str]:
    """The same of a queue on the embedded engine."""
    sqs = boto3.client("sqs")

    def asked(name: str) -> dict[str, str]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])

    main, dead = asked(queue), asked(dlq_name(queue, "test"))
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


def test_queues_are_the_same_here_in_settings_and_on_aws(
    infra: PlannedEnvironment, engines: Engines
) -> None:
    names = queue_names(infra.env)
    dead = {dlq_name(queue, infra.env) for queue in names.values()}
    assert set(infra.by("aws_sqs_queue", "name")) == set(names.values()) | dead
    for task, queue in names.items():
        designed = {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_DAYS * DAY),
            "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
            "maxReceiveCount": str(MAX_RECEIVE_COUNT),
            "dead": dlq_name(queue, infra.env),
            "dead for": str(DLQ_RETENTION_DAYS * DAY),
        }
        embedded = _embedded(queue_names("test")[task])
        assert _attributes(infra, queue) == designed
        assert embedded | {"dead": embedded["dead"].removesuffix("test") + infra.env} == designed


def test_dead_letters_come_from_their_own_queue_only(infra: PlannedEnvironment) -> None:
    arns = {values["arn"]: name for name, values in infra.by("aws_sqs_queue", "name").items()}
    allowed = infra.of("aws_sqs_queue_redrive_allow_policy").values()
    pairs = {}
    for rule in allowed:
        policy = json.loads(rule["redrive_allow_policy"])
        assert policy["redrivePermission"] == "byQueue"
        [source] = policy["sourceQueueArns"]
        pairs[arns[source]] = rule["queue_url"]
    assert set(pairs) == set(queue_names(infra.env).values())


# The table


def test_the_table_is_the_same_here_and_on_aws(infra: PlannedEnvironment) -> None:
    [made] = infra.of("aws_dynamodb_table").values()
    defined = table_definition(f"bbws-products-{infra.env}")
    assert made["name"] == defined["TableName"]
    assert made["billing_mode"] == defined["BillingMode"]
    assert [made["hash_key"], made["range_key"]] == [
        key["AttributeName"] for key in defined["KeySchema"]
    ]
    types = {
        (part["AttributeName"], part["AttributeType"]) for part in defined["AttributeDefinitions"]
    }
    assert {(part["name"], part["type"]) for part in made["attribute"]} == types
    indexes = {
        index["name"]: (index["hash_key"], index["range_key"], index["projection_type"])
        for index in made["global_secondary_index"]
    }
    assert indexes == {
        index["IndexName"]: (
            *(key["AttributeName"] for key in index["KeySchema"]),
            index["Projection"]["ProjectionType"],
        )
        for index in defined["GlobalSecondaryIndexes"]
    }


def test_what_expires_expires_by_the_attribute_that_is_written(infra: PlannedEnvironment) -> None:
    [made] = infra.of("aws_dynamodb_table").values()
    origin = Origin(
        actor="ann", source="api", request_id="r", idempotency_key=IdempotencyKey("key", "print")
    )
    item = idempotency_item(origin, IdempotencyRecord("print", ()), datetime.now(UTC))
    assert made["ttl"][0]["enabled"]
    assert made["ttl"][0]["attribute_name"] in item


# Names and settings


def _passed(infra: PlannedEnvironment) -> dict[str, dict[str, str]]:
    """What each function and each container is told."""
    functions = {name: f["environment"][0]["variables"] for name, f in infra.functions.items()}
    for task in infra.of("aws_ecs_task_definition").values():
        [container] = json.loads(task["container_definitions"])
        told = {pair["name"]: pair["value"] for pair in container["environment"]}
        functions[task["family"]] = told | {
            pair["name"]: f"{pair['name']:x<40}" for pair in container["secrets"]
        }
    return functions


def _read() -> set[str]:
    """Every variable that the project's modules read, by the first argument of what reads it."""
    readers = {"required", "flag", "number", "words", "get"}
    found = set()
    for path in (ROOT / "bbws_products").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", None))
                found |= {node.args[0].value} if name in readers else set()
    return found


def test_nothing_is_passed_that_nobody_reads(infra: PlannedEnvironment) -> None:
    known = _read() | set(READ_ELSEWHERE)
    assert {
        name: set(told) - known for name, told in _passed(infra).items() if set(told) - known
    } == {}


def test_everybody_starts_with_what_is_passed_to_them(infra: PlannedEnvironment) -> None:
    """Once a settings module and set of variables: the nine functions have two of them."""
    kinds = {json.dumps(told, sort_keys=True) for told in _passed(infra).values()}
    started = {
        json.loads(kind).get("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full"): kind
        for kind in kinds
    }
    for module, kind in started.items():
        if importlib.util.find_spec(module) is None:
            continue
        told = json.loads(kind)
        if told.pop("SECRETS_SSM_PREFIX", None):
            told |= SECRET  # what is read from there
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_REGION": "eu-west-1",
            **told,
            "DJANGO_SETTINGS_MODULE": module,
        }
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


def test_names_are_those_of_this_machine_with_another_environment(
    infra: PlannedEnvironment,
) -> None:
    here = app_environment(Engines(Path("unused")), env=infra.env, home=Path("unused"))
    buckets = set(infra.by("aws_s3_bucket", "bucket"))
    assert {here["AUDIT_BUCKET"], here["MEDIA_BUCKET"]} <= buckets
    told = _passed(infra)["audit-logger"]
    assert told["AUDIT_BUCKET"] == here["AUDIT_BUCKET"]
    region, account = infra.variable("region"), infra.variable("account_id")
    assert told["SQS_QUEUE_URL_PREFIX"] == f"https://sqs.{region}.amazonaws.com/{account}"


def test_only_who_takes_requests_is_told_where_the_keys_are(infra: PlannedEnvironment) -> None:
    keyless = {
        name
        for name, told in _passed(infra).items()
        if not {"SECRETS_SSM_PREFIX", "SECRET_KEY"} & set(told)
    }
    assert keyless == {"creator", "cache-invalidator", "search-indexer", "audit-logger"}
    prefix = _passed(infra)["get"]["SECRETS_SSM_PREFIX"]
    for task in infra.of("aws_ecs_task_definition").values():
        [container] = json.loads(task["container_definitions"])
        given = {pair["name"]: pair["valueFrom"] for pair in container["secrets"]}
        for name in SECRET:
            assert given[name].endswith(f":parameter{prefix}{name}")


def test_no_secret_is_in_the_state(infra: PlannedEnvironment) -> None:
    """Terraform knows one only: the key that CloudFront shows to API Gateway."""
    kinds = {resource["type"] for resource in infra.resources}
    assert (
        kinds & {"aws_ssm_parameter", "aws_secretsmanager_secret_version", "random_password"}
        == set()
    )
    for database in infra.of("aws_db_instance").values():
        assert database["manage_master_user_password"]


# Addresses


def _served(patterns: list[Any], above: str = "/") -> Iterator[tuple[str, set[str]]]:
    for pattern in patterns:
        path = above + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)).replace(
            "product_id", "productId"
        )
        if isinstance(pattern, URLResolver):
            yield from _served(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view: Any = getattr(
                pattern.callback, "view_class", getattr(pattern.callback, "cls", None)
            )
            methods = {
                method.upper()
                for method in (view.http_method_names if view else [])
                if hasattr(view, method)
            }
            yield (
                path,
                methods | ({"HEAD"} if "GET" in methods else set()) if view else {"GET", "HEAD"},
            )


def test_the_gateway_has_the_addresses_and_methods_that_are_served(
    infra: PlannedEnvironment,
) -> None:
    served = dict(_served(get_resolver("bbws_products.urls_api").url_patterns))
    routed: dict[str, set[str]] = {}
    for address in infra.of("aws_api_gateway_method"):
        method, path = re.search(r'\["(\w+) (\S+)"\]$', address).groups()  # type: ignore[union-attr] # or it fails
        routed.setdefault(path, set()).add(method)
    assert routed == {path: methods - {"TRACE"} for path, methods in served.items()}


# The cache


@pytest.mark.django_db
def test_the_cache_tells_apart_whatever_an_answer_varies_by(
    infra: PlannedEnvironment, public: Api, p1: str
) -> None:
    [policy] = infra.of("aws_cloudfront_cache_policy").values()
    key = policy["parameters_in_cache_key_and_forwarded_to_origin"][0]
    names = {name.lower() for name in key["headers_config"][0]["headers"][0]["items"]}
    for path in ("/products", p1):
        answer = public("get", path, Origin="https://portal.example.com")
        varies = {name.strip().lower() for name in answer["Vary"].split(",")}
        assert varies - {"cookie"} <= names  # cookies do not even reach us
    [request] = infra.of("aws_cloudfront_origin_request_policy").values()
    assert {
        request["cookies_config"][0]["cookie_behavior"],
        key["cookies_config"][0]["cookie_behavior"],
    } == {"none"}
    assert key["query_strings_config"][0]["query_string_behavior"] == "all"


def test_the_cache_keeps_what_is_purged_and_leaves_tags_strong(infra: PlannedEnvironment) -> None:
    [distribution] = infra.of("aws_cloudfront_distribution").values()
    [policy] = infra.of("aws_cloudfront_cache_policy").values()
    kept = [
        b for b in distribution["ordered_cache_behavior"] if b["cache_policy_id"] == policy["id"]
    ]
    assert [behaviour["path_pattern"] for behaviour in kept] == PATHS
    assert (policy["min_ttl"], policy["default_ttl"]) == (0, 0)
    assert policy["max_ttl"] >= 600
    key = policy["parameters_in_cache_key_and_forwarded_to_origin"][0]
    assert (
        not key["enable_accept_encoding_gzip"]
        | key["enable_accept_encoding_brotli"]
        | kept[0]["compress"]
    )
    assert all(
        error["error_caching_min_ttl"] == 0 for error in distribution["custom_error_response"]
    )


def test_images_are_found_where_they_are_kept(infra: PlannedEnvironment) -> None:
    [distribution] = infra.of("aws_cloudfront_distribution").values()
    origins = {
        b["path_pattern"]: b["target_origin_id"] for b in distribution["ordered_cache_behavior"]
    }
    assert origins["/products/*"] == "media"
    assert _passed(infra)["get"]["MEDIA_URL"] == f"https://{distribution['domain_name']}/"
    [api] = [origin for origin in distribution["origin"] if origin["origin_id"] == "api"]
    assert [header["name"] for header in api["custom_header"]] == ["X-Api-Key"]


# Time


def test_whatever_a_function_does_ends_before_the_function_is_ended(
    infra: PlannedEnvironment,
) -> None:
    patience = timedelta(seconds=infra.functions["creator"]["timeout"])
    call = timedelta(seconds=3)  # the last one, begun just before the time was up
    assert max(pipeline.MAX_RELAY_TIME, jobs.TIME_BUDGET, drift_scan.TIME_BUDGET) + call <= patience


def test_what_is_scheduled_is_a_task(infra: PlannedEnvironment) -> None:
    inputs = [
        json.loads(s["target"][0]["input"])["task"]
        for s in infra.of("aws_scheduler_schedule").values()
    ]
    app.loader.import_default_modules()
    assert {RELAY, VERIFY} <= set(inputs)
    assert set(inputs) <= set(app.tasks)
