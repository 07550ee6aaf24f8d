"""The functions of the built zip as Terraform would deploy them - each under its own role's policy, behind an API
Gateway, fed by its queue - on a ministack that holds everybody to these policies."""

import json
import os
import platform
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

import boto3

from deploy.local.engines import ROOT, SERVICES, Engines
from deploy.local.resources import create_queues
from products.access import tokens
from tasks.queues import queue_names
from tests.support.processes import ANN, EVERYTHING, until
from tests.support.world import World, fresh_world

MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")
POLICIES = ROOT / "deploy" / "terraform" / "policies"
ACCOUNT, REGION, ENV = "000000000000", "eu-west-1", "dev"
API, CONSUMER = "bbws_products.aws_lambda.handler", "tasks.aws_lambda.handler"
CONSUMERS = {
    "creator": ("products.persist", 10),
    "cache-invalidator": ("products.invalidate", 10),
    "search-indexer": ("products.index", 5),
    "audit-logger": ("products.audit", 10),
}
"""What consumes which task's queue, and how many messages at a time."""
ROUTES = {
    "/v1.0/products": {"GET": "list", "POST": "create"},
    "/v1.0/products/{productId}": {
        "GET": "get",
        "HEAD": "get",
        "PATCH": "update",
        "DELETE": "delete",
    },
    "/v1.0/products/{productId}/changes": {"GET": "get"},
    "/v1.0/products/{productId}/changes/{version}": {"GET": "get"},
}
STRICT = {"AUTH": "true", "SERVICES": f"{SERVICES},lambda,iam,apigateway,logs,ssm,kms"}
SECRETS = f"/bbws-products/{ENV}/"


class Stack:
    def __init__(self, home: Path, zipped: Path) -> None:
        self.engines = Engines(home, aws_variables=STRICT)
        self.zipped = zipped

    def start(self) -> None:
        """The engines, the resources, then the functions and what invokes them."""
        self.engines.start()
        create_queues(ENV, visibility=10)
        self.world: World = fresh_world(self.engines, ENV)
        self.lambda_, self.iam = boto3.client("lambda"), boto3.client("iam")
        self._keep_secrets()
        self._upload()
        for name in ("list", "get", "create", "update", "delete"):
            self._function(
                name,
                API,
                {"SECRETS_SSM_PREFIX": SECRETS, "NUM_PROXIES": "2", "MEDIA_URL": "https://m/"},
            )
        for name, (task, batch) in CONSUMERS.items():
            self._function(name, CONSUMER, {"RELAY_AFTER_SECONDS": "1"})
            assert self.invoke(name, {"Records": []}) == (
                {"batchItemFailures": []},
                None,
            )  # it has started
            self._feed(name, task, batch)
        self.address = self._gateway()

    def stop(self) -> None:
        self.engines.stop()

    # What Terraform makes

    def _keep_secrets(self) -> None:
        ssm = boto3.client("ssm")
        for name in ("SECRET_KEY", "TOKEN_KEYS"):
            ssm.put_parameter(Name=SECRETS + name, Value=os.environ[name], Type="SecureString")

    def _upload(self) -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket="artefacts", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        s3.upload_file(str(self.zipped), "artefacts", "products-lambda.zip")

    def _function(self, name: str, handler: str, more: dict[str, str]) -> None:
        settings = f"bbws_products.settings_{'api' if handler == API else 'worker'}"
        self.lambda_.create_function(
            FunctionName=function_name(name),
            Runtime="python3.12",
            Role=self._role(name),
            Handler=handler,
            Code={"S3Bucket": "artefacts", "S3Key": "products-lambda.zip"},
            Timeout=30,
            MemorySize=256,
            Environment={
                "Variables": {**self._variables(), "DJANGO_SETTINGS_MODULE": settings, **more}
            },
        )

    def _variables(self) -> dict[str, str]:
        return {
            "ENVIRONMENT": ENV,
            "PRODUCTS_TABLE": self.world.table,
            "SEARCH_ALIAS": self.world.alias,
            "AUDIT_BUCKET": self.world.bucket,
            "CLOUDFRONT_DISTRIBUTION_ID": self.world.distribution,
            "OPENSEARCH_URL": self.engines.search_url,
            "SQS_QUEUE_URL_PREFIX": f"{self.engines.aws_url}/{ACCOUNT}",
            "AWS_ENDPOINT_URL": self.engines.aws_url,
        }

    def _role(self, name: str) -> str:
        trust = rendered("trust-service", service="lambda.amazonaws.com", account_id=ACCOUNT)
        role = self.iam.create_role(RoleName=function_name(name), AssumeRolePolicyDocument=trust)
        policy = rendered(name, **self._policy_names(name))
        self.iam.put_role_policy(
            RoleName=function_name(name), PolicyName="own", PolicyDocument=policy
        )
        if (
            "GetParametersByPath" in policy
        ):  # ministack holds this call to be on every parameter; AWS, on those of its path
            again = {"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [again]})
            self.iam.put_role_policy(
                RoleName=function_name(name), PolicyName="any-path", PolicyDocument=document
            )
        return str(role["Role"]["Arn"])

    def _policy_names(self, name: str) -> dict[str, str]:
        queues = {
            part: f"arn:aws:sqs:{REGION}:{ACCOUNT}:bbws-product-{part}"
            for part in ("change", "cache", "search", "audit")
        }
        return {
            **{f"{part}_queue_arn": f"{arn}-{ENV}" for part, arn in queues.items()},
            **{f"{part}_dlq_arn": f"{arn}-dlq-{ENV}" for part, arn in queues.items()},
            "region": REGION,
            "table_arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.world.table}",
            "audit_bucket_arn": f"arn:aws:s3:::{self.world.bucket}",
            "distribution_arn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{self.world.distribution}",
            "search_domain_arn": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/products",
            "search_alias": self.world.alias,
            "secrets_arn": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{SECRETS.rstrip('/')}",
            "secrets_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/secrets",
            "log_group_arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{function_name(name)}",
        }

    def _feed(self, name: str, task: str, batch: int) -> None:
        self.lambda_.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_names(ENV)[task]}",
            FunctionName=function_name(name),
            BatchSize=batch,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def _gateway(self) -> str:
        gateway = boto3.client("apigateway")
        api = gateway.create_rest_api(name=f"bbws-product-api-{ENV}")
        resources = {"": api["rootResourceId"]}
        for path, methods in ROUTES.items():
            for method, name in methods.items():
                resource = resource_at(gateway, api["id"], path, resources)
                where = {"restApiId": api["id"], "resourceId": resource, "httpMethod": method}
                arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name(name)}"
                uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
                gateway.put_method(**where, authorizationType="NONE")
                gateway.put_integration(
                    **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri
                )
        gateway.create_deployment(restApiId=api["id"], stageName="live")
        return f"{self.engines.aws_url}/_aws/execute-api/{api['id']}/live"

    # What callers do

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, body and headers of an answer of the API."""
        sent = {
            "Authorization": f"Bearer {self.token()}",
            "Content-Type": "application/json",
            **headers,
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=280) as answer:
                return answer.status, _json(answer.read()), answer.headers
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read()), refused.headers

    def token(self) -> str:
        return tokens.sign(
            ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=1), token_id="t"
        )

    def invoke(self, name: str, event: Any) -> tuple[Any, str | None]:
        """What a function answers, and the kind of its error if it failed."""
        answer = self.lambda_.invoke(
            FunctionName=function_name(name), Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def complete(self, product_id: str, version: int = 1) -> dict[str, Any]:
        """The receipt, once all effects have come about."""

        def receipt() -> dict[str, Any]:
            body = self.call("GET", f"/v1.0/products/{product_id}/changes/{version}")[1]
            return dict(body) if body and body.get("status") == "complete" else {}

        return until(receipt, seconds=60)


def resource_at(gateway: Any, api: str, path: str, standing: dict[str, str]) -> str:
    """The id of the resource at a path; those above it are made as well, and all are put down in ``standing``."""
    if path not in standing:
        above, _, part = path.rpartition("/")
        parent = resource_at(gateway, api, above, standing)
        standing[path] = gateway.create_resource(restApiId=api, parentId=parent, pathPart=part)[
            "id"
        ]
    return standing[path]


def function_name(name: str) -> str:
    return f"bbws-product-{name}-{ENV}"


def rendered(policy: str, **names: str) -> str:
    """A policy as Terraform's templatefile renders it."""
    text = Template((POLICIES / f"{policy}.json.tftpl").read_text()).substitute(names)
    return json.dumps(json.loads(text))


def _json(body: bytes) -> Any:
    with suppress(ValueError):
        return json.loads(body)
    return None
