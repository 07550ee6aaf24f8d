"""Create on the embedded engines what Terraform creates on AWS.

Table, queues, buckets, CloudFront distribution and search index. Idempotent.
"""

import contextlib
import logging
import os
from typing import Any

import boto3

from products.adapters.dynamodb.definition import table_definition
from products.adapters.dynamodb.items import EXPIRY
from products.adapters.opensearch.index import FILL_TIMEOUT_SECONDS, OpenSearchIndex, connect
from tasks.queues import (
    VISIBILITY_SECONDS,
    dead_letter_attributes,
    dlq_name,
    queue_attributes,
    queue_names,
)

logger = logging.getLogger(__name__)


def create_all(
    env: str, bucket: str, search_url: str, *, visibility: int = VISIBILITY_SECONDS
) -> str:
    """Create all resources of an environment; return the id of its CloudFront distribution.

    ``visibility`` is the visibility timeout of the queues in seconds.
    """
    create_table(f"bbws-products-{env}")
    create_queues(env, visibility)
    create_bucket(bucket)
    create_bucket(f"bbws-product-media-{env}")
    client = connect(search_url, timeout_seconds=FILL_TIMEOUT_SECONDS)  # a node that just started
    OpenSearchIndex(client, f"bbws-products-{env}").ensure()
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
    """Create the queues. Log the attributes that this SQS does not know.

    Only AWS knows all of them, and ``validate_deployment`` insists on all.
    """
    sqs: Any = boto3.client("sqs")
    unknown: set[str] = set()
    for name in queue_names(env).values():
        dead_letter_queue = sqs.create_queue(QueueName=dlq_name(name, env))["QueueUrl"]
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = queue_attributes(_arn(sqs, dead_letter_queue), visibility)
        unknown |= set_attributes(sqs, queue, attributes)
        dead_letter = dead_letter_attributes(_arn(sqs, queue))
        unknown |= set_attributes(sqs, dead_letter_queue, dead_letter)
    if unknown:
        logger.warning("queues without what this SQS does not know: %s", ", ".join(sorted(unknown)))


def set_attributes(sqs: Any, url: str, attributes: dict[str, str]) -> set[str]:
    """Set the attributes that this SQS knows, and return the names of the others."""
    try:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    except sqs.exceptions.InvalidAttributeName:
        return {name for name in attributes if not _set_attribute(sqs, url, name, attributes[name])}
    return set()


def _set_attribute(sqs: Any, url: str, name: str, value: str) -> bool:
    try:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
    except sqs.exceptions.InvalidAttributeName:
        return False
    return True


def _arn(sqs: Any, url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def create_distribution(env: str) -> str:
    """Create the CloudFront distribution, or find the existing one; return its id."""
    cloudfront = boto3.client("cloudfront")
    existing = cloudfront.list_distributions()["DistributionList"].get("Items", [])
    for distribution in existing:
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


# deploy/compose.yaml runs this with the variables of its environment.
if __name__ == "__main__":
    create_all(os.environ["ENVIRONMENT"], os.environ["AUDIT_BUCKET"], os.environ["OPENSEARCH_URL"])
