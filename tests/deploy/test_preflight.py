"""The checks before a plan: a prepared account passes, and each gap is found with its remedy."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from deploy.preflight import account, resources
from deploy.preflight.__main__ import line, main
from deploy.preflight.environment import Environment, load
from products.adapters.dynamodb.items import BY_PRICE, INDEX_KEYS
from tests.support.aws_environment import Environment as Deployed
from tests.support.prepared_account import (
    ACCOUNT,
    ALIASES,
    CERTIFICATE,
    ENVIRONMENT,
    INDEXES,
    LIMITS,
    PARAMETERS,
    REGION,
    Account,
    results,
)


def test_prepared_account_passes() -> None:
    found = results()
    assert [result for result in found if result.advice] == []
    assert len(found) > 15
    assert all(result.found.endswith(".") for result in found)


@pytest.mark.parametrize(
    ("changes", "subject", "advice"),
    [
        ({"sts__get_caller_identity": {"Account": "1"}}, "account", "credentials"),
        ({"ec2__describe_regions": {"Regions": []}}, "region", "enable-region"),
        (
            {
                "ec2__describe_regions": {
                    "Regions": [{"RegionName": REGION, "OptInStatus": "not-opted-in"}]
                }
            },
            "region",
            "enable-region",
        ),
        (
            {
                "lambda__get_account_settings": LIMITS
                | {"AccountLimit": {"ConcurrentExecutions": 50, "TotalCodeSize": 80e9}}
            },
            "concurrency",
            "L-B99A9384",
        ),
        (
            {"lambda__get_account_settings": LIMITS | {"AccountUsage": {"TotalCodeSize": 79e9}}},
            "code storage",
            "prune_versions",
        ),
        ({"s3__head_bucket": "403"}, "bucket bbws-product-audit-logs-prod", "append_account_id"),
        (
            {"kms__list_aliases": {"Aliases": ALIASES[:1]}},
            "alias/bbws-product-alerts-prod",
            "bootstrap",
        ),
        (
            {"kms__list_aliases": {"Aliases": ALIASES[:2]}},
            "alias/bbws-products-backups-prod",
            "backup_account_id",
        ),
        (
            {
                "backup__describe_region_settings": {
                    "ResourceTypeOptInPreference": {"DynamoDB": True},
                    "ResourceTypeManagementPreference": {"DynamoDB": False},
                }
            },
            "backups",
            "update-region-settings",
        ),
        ({"iam__get_policy": "NoSuchEntity"}, "bootstrap", "bootstrap"),
        ({"apigateway__get_account": {}}, "API Gateway's log role", "bootstrap"),
        (
            {"ssm__describe_parameters": {"Parameters": PARAMETERS[:2]}},
            "/bbws-products-database/prod/PASSWORD",
            "keys.sh prod",
        ),
        (
            {
                "ssm__describe_parameters": {
                    "Parameters": [*PARAMETERS[1:], PARAMETERS[0] | {"Type": "String"}]
                }
            },
            "/bbws-products/prod/SECRET_KEY",
            "keys.sh prod",
        ),
        (
            {
                "acm__describe_certificate": {
                    "Certificate": CERTIFICATE | {"Status": "PENDING_VALIDATION"}
                }
            },
            "certificate of admin.bbws.example",
            "DNS",
        ),
        (
            {
                "acm__describe_certificate": {
                    "Certificate": CERTIFICATE | {"DomainName": "other.example"}
                }
            },
            "certificate of admin.bbws.example",
            "request one",
        ),
        (
            {
                "acm__describe_certificate": {
                    "Certificate": CERTIFICATE | {"NotAfter": datetime.now(UTC)}
                }
            },
            "certificate of admin.bbws.example",
            "renew",
        ),
        (
            {"opensearch__list_instance_type_details": {"InstanceTypeDetails": []}},
            "OpenSearch on m6g.large.search",
            "instance_type",
        ),
        (
            {"rds__describe_orderable_db_instance_options": {"OrderableDBInstanceOptions": []}},
            "PostgreSQL 17 on db.t4g.small",
            "database_class",
        ),
        (
            {"ec2__describe_addresses": {"Addresses": [{}] * 5}},
            "Elastic IP addresses",
            "L-0263D0A3",
        ),
        (
            {"sns__list_subscriptions_by_topic": "AuthorizationError"},
            "subscriptions",
            "credentials",
        ),
    ],
)
def test_each_gap_is_found_with_its_remedy(
    changes: dict[str, Any], subject: str, advice: str
) -> None:
    failures = {result.subject: result.advice for result in results(**changes) if result.is_failure}
    assert advice in failures[subject]


def test_small_account_may_be_dev_but_not_prod() -> None:
    small = {"AccountLimit": {"ConcurrentExecutions": 10, "TotalCodeSize": 80e9}}
    variables = {**ENVIRONMENT.variables, "account_concurrency": 10, "consumer_concurrency": 2}
    for name, fails in (("dev", False), ("prod", True)):
        found = results(Environment(name, variables), lambda__get_account_settings=LIMITS | small)
        consumers = [result for result in found if result.subject == "concurrency of consumers"]
        assert [result.is_failure for result in consumers] == [fails]


def test_unconfirmed_mails_warn_but_do_not_stop() -> None:
    waiting = [{"Endpoint": "a@bbws.example", "SubscriptionArn": "PendingConfirmation"}]
    found = results(sns__list_subscriptions_by_topic={"Subscriptions": waiting})
    [warning] = [result for result in found if result.advice]
    assert (warning.subject, warning.is_failure) == ("subscriptions", False)
    assert "warns  subscriptions" in line(warning)
    assert not any(result.advice for result in results(sns__list_subscriptions_by_topic="NotFound"))


def test_prod_without_copies_of_backups_is_warned_of() -> None:
    environment = Environment("prod", {**ENVIRONMENT.variables, "backup_vault_arn": None})
    [warning] = [result for result in results(environment) if result.advice]
    assert (warning.subject, warning.is_failure) == ("backups", False)


def test_table_of_an_earlier_release_is_named_with_the_command() -> None:
    waiting = [INDEXES[0] | {"IndexStatus": "CREATING"}, *INDEXES[1:]]
    [warning] = [
        result
        for result in results(
            dynamodb__describe_table={"Table": {"GlobalSecondaryIndexes": waiting}}
        )
        if result.advice
    ]
    assert (warning.subject, warning.is_failure) == ("table bbws-products-prod", False)
    assert f"lacks the index {BY_PRICE}. `manage.py add_indexes`" in warning.found
    none = results(dynamodb__describe_table="ResourceNotFoundException")
    assert not any(result.advice for result in none)


def test_buckets_and_keys_are_recognised_on_the_engine(environment: Deployed) -> None:
    checked = Environment(environment.name, {**ENVIRONMENT.variables, "region": "eu-west-1"})
    ssm = boto3.client("ssm")
    for name in resources.EXPECTED_PARAMETERS:
        path = name.format(env=environment.name)
        ssm.put_parameter(Name=path, Value="v", Type="SecureString")

    def client(service: str, region: str) -> Any:
        return boto3.client(service, region_name=region)  # type: ignore[call-overload]

    found = {result.subject: result for result in resources.check_keys(checked, client)}
    missing = f"/bbws-products-database/{environment.name}/PASSWORD"
    assert [name for name, result in found.items() if result.advice] == [missing]
    statuses = {
        result.subject: result.found for result in resources.check_bucket_names(checked, client)
    }
    assert statuses[f"bucket bbws-product-media-{environment.name}-{ACCOUNT}"] == "It is free."


@pytest.mark.needs("terraform")
def test_variables_come_from_terraform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_VAR_alert_emails", '["alerts@bbws.example"]')
    dev = load("dev")
    assert (dev.account, dev.region) == ("536580886816", "eu-west-1")
    assert dev.state_bucket == "bbws-terraform-state-dev"
    assert dev.containers == {}
    prod = load("prod")
    assert prod.containers["database_class"] == "db.t4g.small"
    [placeholders] = account.check_placeholders(prod, Account({}).client)
    assert "example.com" in placeholders.found
    assert placeholders.is_failure


@pytest.mark.needs("terraform")
def test_missing_mail_address_ends_the_preflight(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TF_VAR_alert_emails", raising=False)
    assert main("dev") == 1
    assert "alert_emails" in capsys.readouterr().out


def test_indexes_of_terraform_are_those_of_the_code() -> None:
    assert resources.planned_indexes() == list(INDEX_KEYS)
