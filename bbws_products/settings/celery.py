"""Celery's settings. The reason for each is in docs/decisions, "Celery over SQS"."""

from datetime import timedelta
from typing import Any

from kombu import Queue

from tasks.queues import ON_CHANGE_QUEUE, RELAY, VERIFY, queue_names

SETTINGS: dict[str, Any] = {
    # No host and no keys: endpoint, region and credentials come from the environment, as in every boto3 client.
    "broker_url": "sqs://",
    "broker_transport": "tasks.sqs_transport:Transport",
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_limit": 8,
    "broker_pool_acquire_timeout": 2.0,
    "task_create_missing_queues": False,
    # The publisher's one try is bounded by the transport's client; trying again is the relay's business.
    "task_publish_retry": False,
    "task_serializer": "json",
    "accept_content": ["json"],
    # A message is acknowledged after success only. A failed one goes back to SQS, whose own redrive moves it to the
    # dead-letter queue after three receives.
    "task_acks_late": True,
    "task_acks_on_failure": False,
    "task_acks_on_timeout": False,
    "task_reject_on_worker_lost": False,
    "task_soft_time_limit": 20,
    "task_time_limit": 25,
    "task_ignore_result": True,
    "result_backend": None,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "worker_max_tasks_per_child": 1000,
    "worker_hijack_root_logger": False,
    "beat_scheduler": "tasks.scheduler:BeatingScheduler",
    "beat_max_loop_interval": 10,  # seconds; each turn is a sign of life
    "enable_utc": True,
    "timezone": "UTC",
}


def celery_settings(
    env: str,
    transport_options: dict[str, Any],
    relay_every: timedelta,
    verify_every: timedelta = timedelta(),
) -> dict[str, Any]:
    """Celery's settings for this environment's queues; ``relay_every`` is how often open changes are looked after, and
    ``verify_every`` how often a slice of the catalogue is verified; never when it is zero."""
    queues = queue_names(env)
    change_queue = queues["products.persist"]
    routes = {task: {"queue": name} for task, name in queues.items()}
    routes |= {task: {"queue": change_queue} for task in ON_CHANGE_QUEUE}
    every = {"relay": (RELAY, relay_every)} | (
        {"verify": (VERIFY, verify_every)} if verify_every else {}
    )
    return SETTINGS | {
        "broker_transport_options": transport_options,
        "task_queues": [Queue(name, routing_key=name, no_declare=True) for name in queues.values()],
        "task_default_queue": change_queue,
        "task_routes": routes,
        # What was not done within its interval is dropped, so that an outage does not pile such messages up.
        "beat_schedule": {
            name: {"task": task, "schedule": often, "options": {"expires": often.total_seconds()}}
            for name, (task, often) in every.items()
        },
    }
