"""Celery's settings. The reason for each is in docs/decisions, "Celery over SQS"."""

from datetime import timedelta
from typing import Any

from kombu import Queue

from tasks.queues import ON_CHANGE_QUEUE, RELAY, VERIFY, queue_names

SETTINGS: dict[str, Any] = {
    # Endpoint, region and credentials come from the environment, as in every boto3 client.
    "broker_url": "sqs://",
    "broker_transport": "tasks.sqs_transport:Transport",
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_limit": 8,
    "broker_pool_acquire_timeout": 2.0,
    "task_create_missing_queues": False,
    # One attempt, limited by the transport's client. The relay requeues a change whose message
    # was not sent.
    "task_publish_retry": False,
    "task_serializer": "json",
    "accept_content": ["json"],
    # A message is acknowledged only after success. SQS delivers a failed message again, and moves
    # it to the dead-letter queue after three receives.
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
    "beat_scheduler": "tasks.scheduler:HeartbeatScheduler",
    "beat_max_loop_interval": 10,  # seconds; each loop writes the heartbeat file
    "enable_utc": True,
    "timezone": "UTC",
}


def celery_settings(
    env: str,
    transport_options: dict[str, Any],
    relay_every: timedelta,
    verify_every: timedelta = timedelta(),
) -> dict[str, Any]:
    """Return Celery's settings for an environment.

    ``relay_every`` is the interval between runs of the relay, which requeues open changes.
    ``verify_every`` is the interval between steps of the drift scan; zero disables the scan.
    """
    queues = queue_names(env)
    change_queue = queues["products.persist"]
    routes = {task: {"queue": name} for task, name in queues.items()}
    routes |= {task: {"queue": change_queue} for task in ON_CHANGE_QUEUE}
    schedule = {"relay": _schedule_entry(RELAY, relay_every)}
    if verify_every:
        schedule["verify"] = _schedule_entry(VERIFY, verify_every)
    return SETTINGS | {
        "broker_transport_options": transport_options,
        "task_queues": [Queue(name, routing_key=name, no_declare=True) for name in queues.values()],
        "task_default_queue": change_queue,
        "task_routes": routes,
        "beat_schedule": schedule,
    }


def _schedule_entry(task: str, interval: timedelta) -> dict[str, Any]:
    """Return a beat entry whose messages expire after one interval.

    So messages do not pile up in the queue during an outage.
    """
    expiry = {"expires": interval.total_seconds()}
    return {"task": task, "schedule": interval, "options": expiry}
