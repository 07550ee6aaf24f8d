"""The only list of queues: the queue of each task, and the attributes every queue must have."""

import json

DAY_SECONDS = 86_400
SHORT_NAMES = {
    "change": "products.persist",
    "cache": "products.invalidate",
    "search": "products.index",
    "audit": "products.audit",
}
"""The task about an effect of each queue, by the queue's short name."""
RELAY = "products.relay"
JOB = "products.job"
VERIFY = "products.verify"
SWITCH = "products.switch"
PURGE_FOR_PLAN = "products.purge_for_plan"
SHARED_QUEUES = {
    RELAY: "change",
    JOB: "change",
    VERIFY: "change",
    SWITCH: "change",
    PURGE_FOR_PLAN: "cache",
}
"""The queue of each task that shares one with the tasks about effects, by the short name.

These tasks are rare or come one at a time, so an edit never waits long behind them.
"""
SCHEDULED = (RELAY, VERIFY)
"""The only tasks that a schedule may start on Lambda."""
MAX_RECEIVE_COUNT = 3
VISIBILITY_SECONDS = 60
LONG_POLL_SECONDS = 20
POLL_GRACE_SECONDS = 10  # what SQS may take in addition to a long poll
RETENTION_DAYS, DLQ_RETENTION_DAYS = 4, 14
BACKOFF_SECONDS = {1: 2, 2: 10}
"""Seconds until a failed message returns, by how often it was received.

A short fault costs little time, and a longer one is left to the relay. All attempts fit into one
visibility timeout.
"""


def queue_name(short_name: str, env: str) -> str:
    """Return the name of a queue in SQS."""
    return f"bbws-product-{short_name}-{env}"


def queue_names(env: str) -> dict[str, str]:
    """Return the queue of each task."""
    return {task: queue_name(short, env) for short, task in SHORT_NAMES.items()}


def shared_queue_names(env: str) -> dict[str, str]:
    """Return the queue of each task that shares one."""
    return {task: queue_name(short, env) for task, short in SHARED_QUEUES.items()}


def task_urls(env: str, url_prefix: str) -> dict[str, str]:
    """Return the URL of each task's queue, including the tasks that share one."""
    queues = queue_names(env) | shared_queue_names(env)
    base = url_prefix.rstrip("/")
    return {task: f"{base}/{name}" for task, name in queues.items()}


def dlq_name(queue: str, env: str) -> str:
    """Return the dead-letter queue: ``bbws-x-dlq-dev`` for ``bbws-x-dev``."""
    return queue.removesuffix(f"-{env}") + f"-dlq-{env}"


def queue_attributes(dead_letters_arn: str, visibility: int = VISIBILITY_SECONDS) -> dict[str, str]:
    """Return the attributes of a queue, as SQS names them."""
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
    return {
        "VisibilityTimeout": str(visibility),
        "MessageRetentionPeriod": str(RETENTION_DAYS * DAY_SECONDS),
        "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": json.dumps(redrive),
    }


def dead_letter_attributes(queue_arn: str) -> dict[str, str]:
    """Return the attributes of the dead-letter queue of one queue.

    No other queue may use it.
    """
    redrive_allow = {"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn]}
    return {
        "MessageRetentionPeriod": str(DLQ_RETENTION_DAYS * DAY_SECONDS),
        "SqsManagedSseEnabled": "true",
        "RedriveAllowPolicy": json.dumps(redrive_allow),
    }


def queue_urls(env: str, url_prefix: str) -> dict[str, tuple[str, str]]:
    """Return, for each queue, its URL and that of its dead-letter queue."""
    base = url_prefix.rstrip("/")
    return {
        name: (f"{base}/{name}", f"{base}/{dlq_name(name, env)}")
        for name in queue_names(env).values()
    }
