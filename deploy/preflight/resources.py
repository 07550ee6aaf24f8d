"""Checks of what people create before a deployment: names, keys, certificates, subscriptions."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from deploy.preflight.environment import TERRAFORM, Environment
from deploy.preflight.results import Client, Result
from products.errors import IndexMissing

CERTIFICATE_MARGIN = timedelta(days=30)
EXPECTED_PARAMETERS = ("/bbws-products/{env}/SECRET_KEY", "/bbws-products/{env}/TOKEN_KEYS")
DATABASE_PARAMETER = "/bbws-products-database/{env}/PASSWORD"


def check_bucket_names(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that each bucket is ours or free: S3's names are global."""
    s3 = client("s3", environment.region)
    for name in environment.buckets:
        status = _bucket_status(s3, name, environment.account)
        advice = (
            "Set append_account_id = true or audit_bucket." if status == "another account's" else ""
        )
        yield Result(f"bucket {name}", f"It is {status}.", advice)


def _bucket_status(s3: Any, name: str, account: str) -> str:
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as refusal:
        return (
            "free"
            if refusal.response["Error"]["Code"] in ("404", "NoSuchBucket")
            else "another account's"
        )
    return "ours"


def check_bootstrap(environment: Environment, client: Client) -> Iterator[Result]:
    """Check what deploy/bootstrap creates: the state's bucket, keys, the boundary, the log role."""
    advice = "Apply deploy/bootstrap (step 2 of deploy/terraform/README.md)."
    status = _bucket_status(
        client("s3", environment.region), environment.state_bucket, environment.account
    )
    yield Result(
        f"bucket {environment.state_bucket}", f"It is {status}.", "" if status == "ours" else advice
    )
    names = ("bbws-products-secrets", "bbws-product-alerts")
    yield from check_aliases(environment, client, names, advice)
    arn = f"arn:aws:iam::{environment.account}:policy/bbws-products-boundary-{environment.name}"
    client("iam", environment.region).get_policy(PolicyArn=arn)
    yield Result("boundary", "It exists.")
    role = client("apigateway", environment.region).get_account().get("cloudwatchRoleArn")
    yield Result(
        "API Gateway's log role",
        f"It is {role}.",
        "" if role else f"{advice} Stages can't log without it.",
    )


def check_aliases(
    environment: Environment, client: Client, names: Iterable[str], advice: str
) -> Iterator[Result]:
    """Check that the environment's KMS keys have these aliases."""
    pages = client("kms", environment.region).get_paginator("list_aliases").paginate()
    existing = {entry["AliasName"] for page in pages for entry in page["Aliases"]}
    for name in names:
        alias = f"alias/{name}-{environment.name}"
        exists = alias in existing
        yield Result(alias, "It exists." if exists else "Not found.", "" if exists else advice)


def check_keys(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that the application's keys exist, without reading them."""
    expected = [name.format(env=environment.name) for name in EXPECTED_PARAMETERS]
    if environment.containers:
        expected.append(DATABASE_PARAMETER.format(env=environment.name))
        expected.extend(environment.people_parameters)
    pages = (
        client("ssm", environment.region)
        .get_paginator("describe_parameters")
        .paginate(ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": expected}])
    )
    kinds = {found["Name"]: found["Type"] for page in pages for found in page["Parameters"]}
    for name in expected:
        kind = kinds.get(name, "missing")
        own = f" {name.rpartition('/')[2]}" if name in environment.people_parameters else ""
        command = f"Run `deploy/keys.sh {environment.name}{own}`."
        advice = "" if kind == "SecureString" else command
        yield Result(name, f"It is {kind}.", advice)


def check_table(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that a table of an earlier release has all indexes; an apply would add them slowly."""
    name = environment.variables["restored_table"] or f"bbws-products-{environment.name}"
    dynamodb = client("dynamodb", environment.region)
    try:
        table = dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield Result(f"table {name}", "There is none yet.")
        return
    ready = {
        index["IndexName"]
        for index in table.get("GlobalSecondaryIndexes", [])
        if index["IndexStatus"] == "ACTIVE"
    }
    lacking = [index for index in planned_indexes() if index not in ready]
    found = str(IndexMissing(lacking)) if lacking else f"It has its {len(ready)} indexes."
    advice = "Run it before: on a large table an apply may outlast its time." if lacking else ""
    yield Result(f"table {name}", found, advice, is_warning=True)


def planned_indexes() -> list[str]:
    """Return the names of the indexes that Terraform creates."""
    text = (TERRAFORM / "dynamodb.tf").read_text()
    return re.findall(r'global_secondary_index \{\s+name\s+= "(\w+)"', text)


def check_certificates(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that each certificate is issued, in the right region, for the right name, and lasts."""
    wanted = []
    if environment.containers:
        wanted.append(
            (
                environment.containers["certificate_arn"],
                environment.containers["domain_name"],
                environment.region,
            )
        )
    if domain := environment.variables["api_domain"]:
        wanted.append((domain["certificate_arn"], domain["name"], "us-east-1"))
    for arn, name, region in wanted:
        found = client("acm", region).describe_certificate(CertificateArn=arn)["Certificate"]
        yield Result(
            f"certificate of {name}", f"It is {found['Status']}.", _certificate_advice(found, name)
        )


def _certificate_advice(certificate: dict[str, Any], name: str) -> str:
    names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())}
    wildcard = f"*.{name.partition('.')[2]}"
    ends = certificate.get("NotAfter")
    if certificate["Status"] != "ISSUED":
        return "Add its validation record to the domain's DNS."
    if not names & {name, wildcard}:
        return f"It is for {', '.join(sorted(names))}; request one for {name}."
    if ends and ends - datetime.now(UTC) < CERTIFICATE_MARGIN:
        return f"It ends on {ends:%Y-%m-%d}; renew it."
    return ""


def check_offerings(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that the region has the instance types."""
    if environment.variables["enable_opensearch"]:
        kind = environment.variables["opensearch"]["instance_type"]
        answer = client("opensearch", environment.region).list_instance_type_details(
            EngineVersion="OpenSearch_2.19", InstanceType=kind
        )
        kinds = {found["InstanceType"] for found in answer["InstanceTypeDetails"]}
        advice = "" if kind in kinds else "Choose another opensearch.instance_type."
        yield Result(
            f"OpenSearch on {kind}", "It is offered." if not advice else "Not offered.", advice
        )
    if environment.containers:
        kind = environment.containers["database_class"]
        answer = client("rds", environment.region).describe_orderable_db_instance_options(
            Engine="postgres", DBInstanceClass=kind, MaxRecords=100
        )
        versions = {found["EngineVersion"] for found in answer["OrderableDBInstanceOptions"]}
        has_it = any(version.startswith("17") for version in versions)
        advice = "" if has_it else "Choose another containers.database_class."
        yield Result(
            f"PostgreSQL 17 on {kind}", "It is offered." if has_it else "Not offered.", advice
        )


def check_subscriptions(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that people confirmed the mails of the alarms; the topics exist after a first apply."""
    topic = f"bbws-product-alerts-{environment.name}"
    arn = f"arn:aws:sns:{environment.region}:{environment.account}:{topic}"
    sns = client("sns", environment.region)
    try:
        found = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] not in ("NotFound", "NotFoundException"):
            raise
        yield Result("subscriptions", "There is no topic yet.")
        return
    waiting = [
        entry["Endpoint"] for entry in found if not entry["SubscriptionArn"].startswith("arn:")
    ]
    advice = f"Confirm the mails to {', '.join(waiting)}." if waiting else ""
    yield Result(
        "subscriptions", f"{len(found) - len(waiting)} are confirmed.", advice, is_warning=True
    )
