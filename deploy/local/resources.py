"""Make on the embedded engines what Terraform makes on AWS: table, queues, bucket, distribution, index. Idempotent."""

import contextlib
import json
from typing import Any

import boto3

from products.adapters.dynamodb_items import table_definition
from products.adapters.opensearch import OpenSearchIndex, connect
from tasks.queues import (
    DLQ_RETENTION_DAYS,
    MAX_RECEIVE_COUNT,
    RETENTION_DAYS,
    VISIBILITY_SECONDS,
    WAIT_SECONDS,
    dlq_name,
    queue_names,
)

DAY = 86_400


def create_all(env: str, bucket: str, search_url: str, *, visibility: int = VISIBILITY_SECONDS) -> str:
    """All of an environment's resources; returns the id of its CloudFront distribution."""
    create_table(f"bbws-products-{env}")
    create_queues(env, visibility)
    create_bucket(bucket)
    create_bucket(f"bbws-product-media-{env}")
    OpenSearchIndex(connect(search_url), f"bbws-products-{env}").ensure()
    return create_distribution(env)


def create_bucket(name: str) -> None:
    s3 = boto3.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def create_table(name: str) -> None:
    dynamodb = boto3.client("dynamodb")
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(**table_definition(name))
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def create_queues(env: str, visibility: int) -> None:
    sqs = boto3.client("sqs")
    for name in queue_names(env).values():
        dead = _queue(sqs, dlq_name(name, env), {"MessageRetentionPeriod": str(DLQ_RETENTION_DAYS * DAY)})
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        attributes = {
            "VisibilityTimeout": str(visibility),
            "MessageRetentionPeriod": str(RETENTION_DAYS * DAY),
            "ReceiveMessageWaitTimeSeconds": str(WAIT_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
        }
        _queue(sqs, name, attributes)


def _queue(sqs: Any, name: str, attributes: dict[str, str]) -> str:
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def create_distribution(env: str) -> str:
    cloudfront = boto3.client("cloudfront")
    standing = cloudfront.list_distributions()["DistributionList"].get("Items", [])
    for distribution in standing:
        if distribution["Comment"] == f"bbws-products-{env}":
            return str(distribution["Id"])
    origin = {
        "Id": "api",
        "DomainName": "localhost",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
    }
    behaviour = {
        "TargetOriginId": "api",
        "ViewerProtocolPolicy": "redirect-to-https",
        "MinTTL": 0,
        "ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "none"}},
    }
    config: Any = {
        "CallerReference": f"bbws-products-{env}",
        "Comment": f"bbws-products-{env}",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    return str(cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"])
