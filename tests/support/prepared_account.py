"""An AWS account in which everything is ready for a deployment, and its answers to preflight."""

import copy
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from deploy.preflight.checks import run_checks
from deploy.preflight.environment import Environment
from deploy.preflight.results import Result
from products.adapters.dynamodb.items import INDEX_KEYS

ACCOUNT, REGION = "444455556666", "af-south-1"
NEXT_YEAR = datetime.now(UTC) + timedelta(days=365)
CERTIFICATE = {"Status": "ISSUED", "DomainName": "admin.bbws.example", "NotAfter": NEXT_YEAR}
ENVIRONMENT = Environment(
    "prod",
    {
        "account_id": ACCOUNT,
        "region": REGION,
        "append_account_id": False,
        "audit_bucket": None,
        "account_concurrency": 1000,
        "consumer_concurrency": 10,
        "enable_opensearch": True,
        "opensearch": {"instance_type": "m6g.large.search"},
        "enable_containers": True,
        "containers": {
            "certificate_arn": "arn:aws:acm:…",
            "domain_name": "admin.bbws.example",
            "database_class": "db.t4g.small",
        },
        "api_domain": None,
        "restored_table": None,
        "backup_vault_arn": "arn:aws:backup:eu-west-1:777788889999:backup-vault:copies",
        "people": {
            "second_factor_for": ["everybody"],
            "former_secret_keys": False,
            "oidc": None,
            "email": None,
        },
    },
)
ALIASES = [
    {"AliasName": f"alias/{name}-prod"}
    for name in ("bbws-products-secrets", "bbws-product-alerts", "bbws-products-backups")
]
PARAMETERS = [
    {"Name": name, "Type": "SecureString"}
    for name in (
        "/bbws-products/prod/SECRET_KEY",
        "/bbws-products/prod/TOKEN_KEYS",
        "/bbws-products-database/prod/PASSWORD",
    )
]
LIMITS = {
    "AccountLimit": {"ConcurrentExecutions": 1000, "TotalCodeSize": 80e9},
    "AccountUsage": {"TotalCodeSize": 1e9},
}
INDEXES = [{"IndexName": name, "IndexStatus": "ACTIVE"} for name in INDEX_KEYS]
PREPARED: dict[str, Any] = {
    "sts.get_caller_identity": {"Account": ACCOUNT},
    "ec2.describe_regions": {"Regions": [{"RegionName": REGION, "OptInStatus": "opted-in"}]},
    "ec2.describe_vpcs": {"Vpcs": []},
    "ec2.describe_addresses": {"Addresses": []},
    "lambda.get_account_settings": LIMITS,
    "s3.head_bucket": {},
    "kms.list_aliases": {"Aliases": ALIASES},
    "iam.get_policy": {},
    "apigateway.get_account": {"cloudwatchRoleArn": "arn:aws:iam::…"},
    "ssm.describe_parameters": {"Parameters": PARAMETERS},
    "acm.describe_certificate": {"Certificate": CERTIFICATE},
    "opensearch.list_instance_type_details": {
        "InstanceTypeDetails": [{"InstanceType": "m6g.large.search"}]
    },
    "rds.describe_orderable_db_instance_options": {
        "OrderableDBInstanceOptions": [{"EngineVersion": "17.6"}]
    },
    "service-quotas.get_service_quota": {"Quota": {"Value": 5}},
    "backup.describe_region_settings": {
        "ResourceTypeOptInPreference": {"DynamoDB": True},
        "ResourceTypeManagementPreference": {"DynamoDB": True},
    },
    "dynamodb.describe_table": {"Table": {"GlobalSecondaryIndexes": INDEXES}},
    "sns.list_subscriptions_by_topic": {
        "Subscriptions": [{"Endpoint": "a@bbws.example", "SubscriptionArn": "arn:aws:sns:…"}]
    },
}
"""What AWS answers for an account in which everything is ready."""


class Account:
    """An account with these answers; an answer that is an error code is raised."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers

    def client(self, service: str, _: str) -> Any:
        return _Client(self.answers, service)


class _Client:
    def __init__(self, answers: Mapping[str, Any], service: str) -> None:
        self._answers, self._service = answers, service

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answer = self._answers[f"{self._service}.{name}"]

        def call(**_: Any) -> Any:
            if isinstance(answer, str):
                raise ClientError({"Error": {"Code": answer, "Message": ""}}, name)
            return answer

        return call

    def get_paginator(self, name: str) -> Any:
        return _Pages(getattr(self, name))


class _Pages:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        yield self._call(**arguments)


def results(environment: Environment = ENVIRONMENT, **changes: Any) -> list[Result]:
    """Return the results for a prepared account with other answers, named ``service__call``."""
    answers = copy.deepcopy(PREPARED)
    answers |= {
        name.replace("__", ".").replace("_quotas", "-quotas"): v for name, v in changes.items()
    }
    return list(run_checks(environment, Account(answers).client))
