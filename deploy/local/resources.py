"""Make on the embedded engines what Terraform makes on AWS: table, queues, bucket, distribution, index. Idempotent."""

import contextlib
import os
from typing import Any

import boto3

from products.adapters.dynamodb.items import EXPIRY, table_definition
from products.adapters.opensearch.index import OpenSearchIndex, connect
from tasks.queues import (
    VISIBILITY_SECONDS,
    dead_letter_attributes,
    dlq_name,
    queue_attributes,
    queue_names,
)


def create_all(
    env: str, bucket: str, search_url: str, *, visibility: int = VISIBILITY_SECONDS
) -> str:
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
    dynamodb: Any = boto3.client("dynamodb")
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(**table_definition(name))
        dynamodb.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        expiry = {"Enabled": True, "AttributeName": EXPIRY}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)


def create_queues(env: str, visibility: int) -> None:
    sqs: Any = boto3.client("sqs")
    for name in queue_names(env).values():
        dead = sqs.create_queue(QueueName=dlq_name(name, env))["QueueUrl"]
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        sqs.set_queue_attributes(
            QueueUrl=queue, Attributes=queue_attributes(_arn(sqs, dead), visibility)
        )
        sqs.set_queue_attributes(QueueUrl=dead, Attributes=dead_letter_attributes(_arn(sqs, queue)))


def _arn(sqs: Any, url: str) -> str:
    return str(
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
    )


def create_distribution(env: str) -> str:
    cloudfront = boto3.client("cloudfront")
    standing = cloudfront.list_distributions()["DistributionList"].get("Items", [])
    for distribution in standing:
        if distribution["Comment"] == f"bbws-products-{env}":
            return str(distribution["Id"])
    origin = {
        "Id": "api",
        "DomainName": "localhost",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
        },
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


if (
    __name__ == "__main__"
):  # for the environment that the variables describe, as in deploy/compose.yaml
    create_all(os.environ["ENVIRONMENT"], os.environ["AUDIT_BUCKET"], os.environ["OPENSEARCH_URL"])
