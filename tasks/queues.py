"""The only list of queues: which task waits on which, and how a queue must be made (DESIGN §6)."""

import json
from typing import Any

DAY = 86_400  # seconds
QUEUES = {
    "products.persist": "bbws-product-change-{env}",
    "products.invalidate": "bbws-product-cache-{env}",
    "products.index": "bbws-product-search-{env}",
    "products.audit": "bbws-product-audit-{env}",
}
RELAY = "products.relay"
JOB = "products.job"
VERIFY = "products.verify"
ON_CHANGE_QUEUE = (RELAY, JOB, VERIFY)
"""They wait with the changes: seldom, or one message at a time, so that nobody's edit waits behind them for long."""
SCHEDULED = (RELAY, VERIFY)
"""All that a schedule may start by itself on Lambda."""
MAX_RECEIVE_COUNT = 3
VISIBILITY_SECONDS = 60
WAIT_SECONDS = 20
ANSWER_SECONDS = 10  # what SQS may take beyond the wait it was asked for
RETENTION_DAYS, DLQ_RETENTION_DAYS = 4, 14
# Seconds until a failed message is received again, by how often it was received: a fault that passes quickly costs
# little, a longer one is left to the relay, and all of it fits well into one visibility time-out.
BACKOFF = {1: 2, 2: 10}


def queue_names(env: str) -> dict[str, str]:
    """The queue of each task."""
    return {task: name.format(env=env) for task, name in QUEUES.items()}


def task_urls(env: str, url_prefix: str) -> dict[str, str]:
    """The address of the queue each task waits on."""
    queues = queue_names(env)
    queues |= dict.fromkeys(ON_CHANGE_QUEUE, queues["products.persist"])
    return {task: f"{url_prefix.rstrip('/')}/{name}" for task, name in queues.items()}


def dlq_name(queue: str, env: str) -> str:
    """``bbws-product-change-dev`` dies into ``bbws-product-change-dlq-dev``."""
    return queue.removesuffix(f"-{env}") + f"-dlq-{env}"


def queue_attributes(dead_letters_arn: str, visibility: int = VISIBILITY_SECONDS) -> dict[str, str]:
    """How a queue must be made, in SQS's own words."""
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
    return {
        "VisibilityTimeout": str(visibility),
        "MessageRetentionPeriod": str(RETENTION_DAYS * DAY),
        "ReceiveMessageWaitTimeSeconds": str(WAIT_SECONDS),
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": json.dumps(redrive),
    }


def dead_letter_attributes(queue_arn: str) -> dict[str, str]:
    """How the dead-letter queue of a queue must be made; no other queue may send its dead there."""
    return {
        "MessageRetentionPeriod": str(DLQ_RETENTION_DAYS * DAY),
        "SqsManagedSseEnabled": "true",
        "RedriveAllowPolicy": json.dumps(
            {"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn]}
        ),
    }


def queue_urls(env: str, url_prefix: str) -> dict[str, tuple[str, str]]:
    """For each queue the addresses of itself and of its dead letters."""
    base = url_prefix.rstrip("/")
    return {
        name: (f"{base}/{name}", f"{base}/{dlq_name(name, env)}")
        for name in queue_names(env).values()
    }


def transport_options(
    env: str, url_prefix: str, heartbeat_dir: str, wait_seconds: int
) -> dict[str, Any]:
    """What the SQS transport needs to know of the queues; with their URLs given it never lists or makes any."""
    return {
        "predefined_queues": {
            name: {
                "url": f"{url_prefix.rstrip('/')}/{name}",
                "backoff_policy": BACKOFF,
                "backoff_tasks": [task, *ON_CHANGE_QUEUE],
            }
            for task, name in queue_names(env).items()
        },
        "wait_time_seconds": wait_seconds,
        "heartbeat_dir": heartbeat_dir,
        # With kombu 5.7 a busy worker takes about slots/polling_interval tasks a second; its default of 1 s throttles.
        "polling_interval": 0.1,
        "sqs_base64_encoding": False,  # plain JSON: smaller, and a dead letter can be read by a person
        # For publish, acknowledge and change-visibility. One try of 2 seconds at most: a request must not hang on a
        # dead SQS, and a doorbell that was not heard is rung again by the relay.
        "client-config": {
            "connect_timeout": 1,
            "read_timeout": 2,
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "tcp_keepalive": True,
            "max_pool_connections": 32,
        },
    }
