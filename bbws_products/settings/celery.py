"""Celery's settings, for the scheduler and for clients that send tasks.

The decision "A worker of our own takes batches" says why the worker is not Celery's.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kombu import Queue

from tasks.queues import RELAY, VERIFY, queue_names, shared_queue_names

SETTINGS: dict[str, Any] = {
    # Endpoint, region and credentials come from the environment, as in every boto3 client.
    "broker_url": "sqs://",
    "broker_connection_max_retries": None,
    "task_create_missing_queues": False,
    "task_publish_retry": False,  # the next message follows in seconds
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "result_backend": None,
    "worker_hijack_root_logger": False,
    "beat_scheduler": "tasks.scheduler:HeartbeatScheduler",
    "beat_max_loop_interval": 10,  # seconds; each loop writes the heartbeat file
    "enable_utc": True,
    "timezone": "UTC",
}


def celery_settings(
    env: str,
    urls: Mapping[str, tuple[str, str]],
    relay_every: timedelta,
    verify_every: timedelta = timedelta(),
) -> dict[str, Any]:
    """Return Celery's settings for an environment. ``urls`` has the URL of each queue first.

    ``relay_every`` is the interval between runs of the relay, which requeues open changes.
    ``verify_every`` is the interval between steps of the drift scan; zero disables the scan.
    """
    queues = queue_names(env)
    change_queue = queues["products.persist"]
    routed = queues | shared_queue_names(env)
    routes = {task: {"queue": name} for task, name in routed.items()}
    schedule = {"relay": _schedule_entry(RELAY, relay_every)}
    if verify_every:
        schedule["verify"] = _schedule_entry(VERIFY, verify_every)
    transport_options = {
        # With their URLs, the transport never lists or creates queues.
        "predefined_queues": {name: {"url": url} for name, (url, _) in urls.items()},
        # Plain JSON is smaller, and people can read a dead letter.
        "sqs_base64_encoding": False,
    }
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
