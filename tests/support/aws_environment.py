"""A complete environment as Terraform creates it, on an engine with IAM, Lambda and CloudWatch."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import boto3
from django.core.wsgi import get_wsgi_application
from django.db import connections

from bbws_products.validation import permissions
from deploy.functions import full_name
from deploy.local.resources import create_all
from tasks.queues import queue_names
from tests.support.processes import until

FUNCTIONS = ("list", "get", "create", "update", "delete")
CONSUMERS = {
    "products.persist": "creator",
    "products.invalidate": "cache-invalidator",
    "products.index": "search-indexer",
    "products.audit": "audit-logger",
}
"""For each task, the function that consumes its queue."""
ALL_SERVICES = "dynamodb,sqs,s3,cloudfront,sts,iam,lambda,cloudwatch,sns,ssm,kms,ecs,ecr"
KEY = "a key of the tests, which is long enough and not insecure, "


@dataclass
class Environment:
    """The names and addresses of an environment's resources."""

    name: str
    distribution: str
    url_prefix: str

    @cached_property
    def table(self) -> str:
        return f"bbws-products-{self.name}"

    @cached_property
    def audit(self) -> str:
        return f"bbws-product-audit-logs-{self.name}"

    def queue_url(self, task: str) -> str:
        return f"{self.url_prefix}/{queue_names(self.name)[task]}"


def create_environment(search_url: str, url_prefix: str) -> Environment:
    """Create all resources of a new environment, correctly set up."""
    name = f"v{uuid.uuid4().hex[:8]}"
    distribution = create_all(name, f"bbws-product-audit-logs-{name}", search_url)
    environment = Environment(name, distribution, url_prefix)
    harden_table(environment.table)
    for bucket in (environment.audit, f"bbws-product-media-{name}"):
        block_public_access(bucket)
    return environment


def harden_table(name: str) -> None:
    dynamodb: Any = boto3.client("dynamodb")
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)


def block_public_access(bucket: str) -> None:
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    configuration: Any = dict.fromkeys(blocks, True)
    boto3.client("s3").put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=configuration
    )


def make_functions(environment: Environment) -> None:
    """Create the nine functions with their aliases and event sources."""
    client: Any = boto3.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("handler.py", "def handler(event, context):\n    return None\n")
    names = {part: full_name(part, environment.name) for part in (*FUNCTIONS, *CONSUMERS.values())}
    for name in names.values():
        client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="handler.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": archive.getvalue()},
            Timeout=10,
            Environment={"Variables": {"ENVIRONMENT": environment.name}},
            Publish=True,
        )
        until(partial(_is_active, client, name))
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    sqs = boto3.client("sqs")
    for task, part in CONSUMERS.items():
        url = environment.queue_url(task)
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        client.create_event_source_mapping(
            EventSourceArn=answer["Attributes"]["QueueArn"],
            FunctionName=f"{names[part]}:live",
            BatchSize=5,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )


def _is_active(client: Any, name: str) -> bool:
    return bool(client.get_function_configuration(FunctionName=name)["State"] == "Active")


def make_role(environment: Environment, role: str) -> str:
    """Create a role with exactly the permissions that ``role`` needs; return its ARN."""
    iam = boto3.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    name = f"{role}-{environment.name}"
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))
    statements = []
    for resource, actions in permissions.rights(role).items():
        if needed := [action for action, is_needed in actions.items() if is_needed]:
            statements.append({"Effect": "Allow", "Action": needed, "Resource": resource})
    iam.put_role_policy(RoleName=name, PolicyName="needed", PolicyDocument=_policy(statements))
    return str(created["Role"]["Arn"])


def allow(environment: Environment, role: str, action: str, resource: str) -> None:
    _add(environment, role, "more", {"Effect": "Allow", "Action": action, "Resource": resource})


def forbid(environment: Environment, role: str, action: str) -> None:
    _add(environment, role, "less", {"Effect": "Deny", "Action": action, "Resource": "*"})


def _add(environment: Environment, role: str, name: str, statement: dict[str, str]) -> None:
    iam = boto3.client("iam")
    iam.put_role_policy(
        RoleName=f"{role}-{environment.name}", PolicyName=name, PolicyDocument=_policy([statement])
    )


def _policy(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; the application has its own request log."""


@contextmanager
def serve_application() -> Iterator[str]:
    """Serve this process's application, and yield its URL.

    Its threads use the SQL connection of the test, as those of Django's live server do: otherwise
    they would wait for the test's transaction. That server would empty the shared SQL tables.
    """
    shared, application = connections["default"], get_wsgi_application()

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        connections["default"] = shared
        return application(environ, start_response)

    shared.inc_thread_sharing()
    try:
        with make_server("127.0.0.1", 0, serve, Server, Quiet) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
    finally:
        shared.dec_thread_sharing()
