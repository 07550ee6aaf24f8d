"""Ways to damage a deployed environment, and the findings that ``validate_deployment`` reports."""

import os
from collections.abc import Callable
from typing import Any

from tasks.queues import dlq_name, queue_names
from tests import plugin
from tests.support.aws_environment import Environment
from tests.support.world import engine_client, search_client


def client(service: str) -> Any:
    return engine_client(service, os.environ["AWS_ENDPOINT_URL"])


def disable_recovery(environment: Environment) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(
        TableName=environment.table, PointInTimeRecoverySpecification=off
    )


def disable_expiry(environment: Environment) -> None:
    off = {"Enabled": False, "AttributeName": "expiresAt"}
    client("dynamodb").update_time_to_live(TableName=environment.table, TimeToLiveSpecification=off)


def disable_deletion_protection(environment: Environment) -> None:
    client("dynamodb").update_table(TableName=environment.table, DeletionProtectionEnabled=False)


def delete_table(environment: Environment) -> None:
    disable_deletion_protection(environment)
    client("dynamodb").delete_table(TableName=environment.table)


def delete_index(environment: Environment) -> None:
    lost = [{"Delete": {"IndexName": "OpenChangesIndex"}}]
    client("dynamodb").update_table(TableName=environment.table, GlobalSecondaryIndexUpdates=lost)


def set_queue(environment: Environment, **attributes: str) -> None:
    client("sqs").set_queue_attributes(
        QueueUrl=environment.queue_url("products.audit"), Attributes=attributes
    )


def delete_queue(environment: Environment) -> None:
    client("sqs").delete_queue(QueueUrl=environment.queue_url("products.index"))


def shorten_dead_letter_retention(environment: Environment) -> None:
    name = dlq_name(queue_names(environment.name)["products.audit"], environment.name)
    attributes = {"MessageRetentionPeriod": "3600"}
    client("sqs").set_queue_attributes(
        QueueUrl=f"{environment.url_prefix}/{name}", Attributes=attributes
    )


def allow_public_access(environment: Environment) -> None:
    client("s3").delete_public_access_block(Bucket=environment.audit)


def delete_bucket(environment: Environment) -> None:
    client("s3").delete_bucket(Bucket=f"bbws-product-media-{environment.name}")


def delete_search_index(environment: Environment) -> None:
    search_client(plugin.ENGINES.search_url).indices.delete(index=f"{environment.table}-1")


def replace_search_mapping(environment: Environment) -> None:
    delete_search_index(environment)
    body = {
        "aliases": {environment.table: {}},
        "mappings": {"properties": {"price": {"type": "text"}}},
    }
    search_client(plugin.ENGINES.search_url).indices.create(
        index=f"{environment.table}-1", body=body
    )


def change_every_setting(environment: Environment) -> None:
    """Change one setting of each resource; all resources still exist."""
    disable_recovery(environment)
    disable_expiry(environment)
    disable_deletion_protection(environment)
    set_queue(environment, VisibilityTimeout="30", RedrivePolicy="")
    shorten_dead_letter_retention(environment)
    allow_public_access(environment)
    replace_search_mapping(environment)


def delete_resources(environment: Environment) -> None:
    delete_index(environment)
    delete_queue(environment)
    delete_bucket(environment)
    delete_search_index(environment)


EXPECTED_FINDINGS: dict[Callable[[Environment], None], dict[tuple[str, str], str]] = {
    change_every_setting: {
        ("table", "point-in-time recovery"): "It is DISABLED; expected ENABLED.",
        ("table", "time to live"): "It is off: idempotency records and statistics never expire.",
        ("table", "deletion protection"): "a role that may delete tables can delete this one.",
        ("queues", "visibility timeout in seconds"): "It is 30; expected 60.",
        ("queues", "redrive"): "It is not set; expected",
        ("queues", "retention in seconds"): "It is 3600; expected 1209600.",
        ("buckets", "public access"): "Not found.",
        ("search", "unknown fields"): "expected strict",
        (
            "search",
            "mapping",
        ): "fields differ from the expected mapping: active, billingCycle,",
    },
    delete_resources: {
        ("table", "index OpenChangesIndex"): "OpenChangesIndex. `manage.py add_indexes` adds",
        ("queues", "queue"): "Not found.",
        ("buckets", "bucket"): "Not found.",
        ("search", "alias"): "Not found; create it: `manage.py rebuild_search_index`.",
    },
    delete_table: {("table", "table"): "Not found."},
}
