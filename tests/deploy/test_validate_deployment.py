"""validate_deployment: a whole environment is in order, and each kind of thing that is not gets named."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from opensearchpy import OpenSearch

from bbws_products.validation import findings
from bbws_products.validation.functions import CONSUMERS
from deploy.local.engines import ROOT, free_port
from tasks.queues import QUEUES, dlq_name, queue_names
from tests import plugin
from tests.support.aws_environment import (
    Environment,
    allow,
    forbid,
    make_alarms,
    make_functions,
    make_role,
    serve_application,
)
from tests.support.processes import until
from tests.support.wiring import forget_wiring
from tests.support.world import engine_client, search_client

pytestmark = pytest.mark.django_db
TERRAFORM = ROOT / "deploy" / "terraform"
Row = dict[str, Any]


def client(service: str) -> Any:
    return engine_client(service, os.environ["AWS_ENDPOINT_URL"])


def search(environment: Environment) -> OpenSearch:
    return search_client(plugin.ENGINES.search_url)


def validated(*arguments: str) -> tuple[list[Row], int]:
    """What is told, and the exit status."""
    out = StringIO()
    try:
        call_command("validate_deployment", "--json", *arguments, stdout=out)
    except CommandError as wrong:
        return json.loads(out.getvalue()), wrong.returncode
    return json.loads(out.getvalue()), 0


def wrong(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["state"] in ("differs", "missing")]


def test_an_environment_that_is_as_it_must_be_is_in_order(environment: Environment) -> None:
    rows, status = validated()
    assert (wrong(rows), status) == ([], 0)
    areas = {
        "settings",
        "sql",
        "table",
        "queues",
        "buckets",
        "cdn",
        "search",
        "permissions",
        "alarms",
    }
    assert {row["area"] for row in rows if row["state"] == "ok"} == areas - {"alarms"}
    assert all(row["sentence"].endswith(".") for row in rows)
    # HTTPS and alarms are nothing that one machine needs.
    assert {row["area"] for row in rows if row["state"] == "not checked"} == {"settings", "alarms"}
    rows, _ = validated("--role", "worker")
    (unasked,) = [
        row for row in rows if (row["area"], row["state"]) == ("permissions", "not checked")
    ]
    assert unasked["sentence"].startswith("The root of an account may do everything")


def test_in_strict_eyes_all_that_protects_must_be_there_too(
    environment: Environment, settings: Any
) -> None:
    rows, status = validated("--strict", "--lambda")
    assert status == 1
    assert {row["area"] for row in rows if row["state"] != "ok"} == {
        "settings",
        "alarms",
        "functions",
    }
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = (
        True
    )
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    make_alarms(environment, with_lambda=True)
    make_functions(environment)
    rows, status = validated(
        "--strict", "--lambda", "--role", "worker", "--principal", make_role(environment, "worker")
    )
    assert [
        (row["subject"], row["what"], row["sentence"]) for row in rows if row["state"] != "ok"
    ] == []
    assert status == 0


# One thing of each kind that is not as it must be: what is done, and the finding that names it


def lose_recovery(environment: Environment) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(
        TableName=environment.table, PointInTimeRecoverySpecification=off
    )


def lose_expiry(environment: Environment) -> None:
    off = {"Enabled": False, "AttributeName": "expiresAt"}
    client("dynamodb").update_time_to_live(TableName=environment.table, TimeToLiveSpecification=off)


def lose_protection(environment: Environment) -> None:
    client("dynamodb").update_table(TableName=environment.table, DeletionProtectionEnabled=False)


def lose_table(environment: Environment) -> None:
    lose_protection(environment)
    client("dynamodb").delete_table(TableName=environment.table)


def lose_index(environment: Environment) -> None:
    lost = [{"Delete": {"IndexName": "OpenChangesIndex"}}]
    client("dynamodb").update_table(TableName=environment.table, GlobalSecondaryIndexUpdates=lost)


def set_queue(environment: Environment, **attributes: str) -> None:
    client("sqs").set_queue_attributes(
        QueueUrl=environment.queue_url("products.audit"), Attributes=attributes
    )


def lose_queue(environment: Environment) -> None:
    client("sqs").delete_queue(QueueUrl=environment.queue_url("products.index"))


def forget_dead_letters_early(environment: Environment) -> None:
    name = dlq_name(queue_names(environment.name)["products.audit"], environment.name)
    attributes = {"MessageRetentionPeriod": "3600"}
    client("sqs").set_queue_attributes(
        QueueUrl=f"{environment.url_prefix}/{name}", Attributes=attributes
    )


def open_bucket(environment: Environment) -> None:
    client("s3").delete_public_access_block(Bucket=environment.audit)


def allow_plain_http(environment: Environment) -> None:
    client("s3").delete_bucket_policy(Bucket=environment.audit)


def keep_no_versions(environment: Environment) -> None:
    client("s3").put_bucket_versioning(
        Bucket=environment.audit, VersioningConfiguration={"Status": "Suspended"}
    )


def lose_bucket(environment: Environment) -> None:
    client("s3").delete_bucket(Bucket=f"bbws-product-media-{environment.name}")


def switch_off(environment: Environment) -> None:
    answer = client("cloudfront").get_distribution_config(Id=environment.distribution)
    config = answer["DistributionConfig"] | {"Enabled": False}
    client("cloudfront").update_distribution(
        Id=environment.distribution, IfMatch=answer["ETag"], DistributionConfig=config
    )


def lose_search(environment: Environment) -> None:
    search(environment).indices.delete(index=f"{environment.table}-1")


def index_otherwise(environment: Environment) -> None:
    lose_search(environment)
    body = {
        "aliases": {environment.table: {}},
        "mappings": {"properties": {"price": {"type": "text"}}},
    }
    search(environment).indices.create(index=f"{environment.table}-1", body=body)


def as_if_not_meant(environment: Environment) -> None:
    """Everything is there, and each thing is a little otherwise."""
    lose_recovery(environment)
    lose_expiry(environment)
    lose_protection(environment)
    set_queue(environment, VisibilityTimeout="30", RedrivePolicy="")
    forget_dead_letters_early(environment)
    open_bucket(environment)
    allow_plain_http(environment)
    keep_no_versions(environment)
    switch_off(environment)
    index_otherwise(environment)


def as_if_lost(environment: Environment) -> None:
    lose_index(environment)
    lose_queue(environment)
    lose_bucket(environment)
    lose_search(environment)


SPOILT = {
    as_if_not_meant: {
        ("table", "point-in-time recovery"): "It is DISABLED, and must be ENABLED.",
        (
            "table",
            "time to live",
        ): "It is off, so remembered requests and statistics stay for ever.",
        ("table", "deletion protection"): "Anybody who may delete tables can delete it.",
        ("queues", "visibility time-out in seconds"): "It is 30, and must be 60.",
        ("queues", "redrive"): "It is not set, and must be",
        ("queues", "retention in seconds"): "It is 3600, and must be 1209600.",
        ("buckets", "public access"): "There is none.",
        ("buckets", "TLS only"): "There is none.",
        ("buckets", "versioning"): "It is Suspended, and must be Enabled.",
        ("cdn", "enabled"): "It is false, and must be true.",
        ("search", "unknown fields"): "must be strict",
        ("search", "mapping"): "These fields differ from ours: active, billingCycle,",
    },
    as_if_lost: {
        ("table", "index OpenChangesIndex"): "There is no such index.",
        ("queues", "queue"): "There is none.",
        ("queues", "whose dead it takes"): "a queue that is not there",
        ("buckets", "bucket"): "There is none.",
        ("search", "alias"): "There is none; `manage.py rebuild_search_index` makes it.",
    },
    lose_table: {("table", "table"): "There is none."},
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_just_what_is_not_as_it_must_be_is_named(
    environment: Environment, spoil: Callable[[Environment], None]
) -> None:
    spoil(environment)
    rows, status = validated("--strict")
    spoilt = {"table", "queues", "buckets", "cdn", "search"}
    found = {
        (row["area"], row["what"]): row["sentence"] for row in wrong(rows) if row["area"] in spoilt
    }
    assert set(found) == set(SPOILT[spoil])
    assert [what for what, sentence in SPOILT[spoil].items() if sentence not in found[what]] == []
    assert status == 1


def test_settings_that_are_not_fit_are_named(environment: Environment, settings: Any) -> None:
    settings.SECRET_KEY = "insecure-but-long-enough-for-anybody-to-remember"
    settings.TOKEN_KEYS = [settings.SECRET_KEY]
    settings.ALLOWED_HOSTS = ["*"]
    found = {(row["subject"], row["what"]) for row in wrong(validated()[0])}
    assert found == {
        ("SECRET_KEY", "strength"),
        ("TOKEN_KEYS", "strength"),
        ("TOKEN_KEYS", "apart"),
        ("ALLOWED_HOSTS", "hosts"),
    }


def test_a_process_ends_with_1_and_names_what_is_not_migrated(
    environment: Environment, tmp_path: Path
) -> None:
    """The settings are those of the tests, whose queues and table this engine does not have."""
    command = [sys.executable, "manage.py", "validate_deployment", "--json"]
    there = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    ended = subprocess.run(
        command, cwd=ROOT, env=there, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("are not as they must be.")
    (sql,) = [row for row in json.loads(ended.stdout) if row["area"] == "sql"]
    assert (sql["state"], sql["what"]) == ("differs", "migrations")
    assert "products.0004_operators" in sql["sentence"]


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_role_has_what_it_needs_and_no_more(environment: Environment, role: str) -> None:
    arn = make_role(environment, role)
    rows, status = validated("--role", role, "--principal", arn)
    assert (wrong(rows), status) == ([], 0)
    forbid(environment, role, "dynamodb:UpdateItem")
    (found,) = wrong(validated("--role", role, "--principal", arn)[0])
    assert (found["what"], found["sentence"]) == (
        f"dynamodb:UpdateItem on table/{environment.table}",
        "It is not allowed, and needed.",
    )
    allow(environment, role, "s3:*", "*")
    names = {
        row["what"].partition(" ")[0]
        for row in wrong(validated("--role", role, "--principal", arn)[0])
    }
    assert names == {"dynamodb:UpdateItem", "s3:DeleteObject", "s3:PutBucketPolicy"}


def test_functions_that_take_nothing_or_too_long_are_named(environment: Environment) -> None:
    make_functions(environment)
    functions: Any = client("lambda")
    name = f"bbws-product-creator-{environment.name}"
    (mapping,) = functions.list_event_source_mappings(FunctionName=f"{name}:live")[
        "EventSourceMappings"
    ]
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.delete_function(FunctionName=f"bbws-product-get-{environment.name}")
    slow = f"bbws-product-list-{environment.name}"
    functions.update_function_configuration(FunctionName=slow, Timeout=30)
    functions.publish_version(FunctionName=slow)
    functions.update_alias(FunctionName=slow, Name="live", FunctionVersion="2")
    until(
        lambda: (
            functions.get_function_configuration(FunctionName=slow, Qualifier="live")["State"]
            == "Active"
        )
    )
    found = {(row["subject"], row["what"]) for row in wrong(validated("--lambda")[0])}
    assert found == {
        (name, "event source"),
        (f"bbws-product-get-{environment.name}", "function, alias live"),
        (slow, "time-out"),
    }


@pytest.mark.skipif(not TERRAFORM.exists(), reason="Terraform's functions are not here")
def test_terraform_makes_the_functions_that_are_looked_for() -> None:
    text = (TERRAFORM / "locals.tf").read_text()
    queues = re.findall(r'(\w+)\s*= \{ consumer = "([\w-]+)",\s*batch_size = (\d+) \}', text)
    made = {QUEUES[task].split("-")[2]: consumer for task, consumer in CONSUMERS.items()}
    assert {queue: (consumer, int(batch)) for queue, consumer, batch in queues} == made


def test_an_alarm_that_tells_nobody_is_named(environment: Environment) -> None:
    make_alarms(environment, with_lambda=False)
    quiet = client("cloudwatch").describe_alarms(AlarmNamePrefix=environment.name)["MetricAlarms"]
    client("cloudwatch").disable_alarm_actions(AlarmNames=[alarm["AlarmName"] for alarm in quiet])
    found = [row for row in wrong(validated("--strict")[0]) if row["area"] == "alarms"]
    assert len(found) == len(quiet)
    assert all("tells nobody" in row["sentence"] for row in found)


def test_what_does_not_answer_is_missing_and_does_not_hold_up_the_rest(
    environment: Environment, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    settings.OPENSEARCH_URL = f"http://127.0.0.1:{free_port()}"
    forget_wiring()
    findings.aws_client.cache_clear()
    rows, status = validated("--url", f"http://127.0.0.1:{free_port()}", "--lambda")
    assert status == 1
    silent = {row["area"] for row in rows if row["state"] == "missing"}
    assert silent == {
        "table",
        "queues",
        "buckets",
        "cdn",
        "search",
        "permissions",
        "alarms",
        "functions",
        "endpoints",
    }
    assert {row["area"] for row in rows if row["state"] == "ok"} == {
        "settings",
        "sql",
        "permissions",
    }
    assert [
        row["subject"] for row in rows if (row["area"], row["state"]) == ("permissions", "ok")
    ] == ["sql"]
    findings.aws_client.cache_clear()


@pytest.fixture
def address() -> Iterator[str]:
    with serve_application() as url:
        yield url


def test_the_service_is_looked_at_as_its_callers_meet_it(
    environment: Environment, address: str, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    rows, status = validated("--url", address)
    assert (wrong(rows), status) == ([], 0)
    told = {row["what"]: row["sentence"] for row in rows if row["area"] == "endpoints"}
    assert told["a write without a token"] == "It is 401."
    assert told["CORS for https://portal.example"] == "It is https://portal.example."
    assert told["CORS for others"] == "They may not call."
    assert told["contract, version"] == "It is 1.0."
    assert told["/readyz, dynamodb"] == "It is ok."
    settings.CORS_ALLOW_ALL_ORIGINS, settings.SECURE_REFERRER_POLICY = True, "origin"
    settings.SECURE_CONTENT_TYPE_NOSNIFF = False
    settings.SPECTACULAR_SETTINGS = settings.SPECTACULAR_SETTINGS | {"VERSION": "0.9"}
    found = {row["what"] for row in wrong(validated("--url", address)[0])}
    assert found >= {"CORS for others", "contract, version"}


def test_a_person_gets_a_table_and_its_sum(environment: Environment) -> None:
    lose_search(environment)
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 of \d+ are not as they must be"):
        call_command("validate_deployment", stdout=out)
    lines = out.getvalue().strip().splitlines()
    named = [line.split()[:3] for line in lines if line.startswith("missing")]
    assert named == [
        ["missing", "search", f"{environment.table}:"],
        ["missing", "permissions", "opensearch:"],
    ]
    assert "2 missing" in lines[-1]
