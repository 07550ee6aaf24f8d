"""The functions of the built zip, deployed on a ministack as Terraform deploys them.

Each function has its own role and policy, which this ministack enforces. An API Gateway or a
queue invokes it.
"""

import json
import os
import platform
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any, Literal

import boto3

from deploy.functions import NAMES, full_name
from deploy.local.engines import ROOT, SERVICES, Engines
from deploy.local.resources import create_queues
from products.access import tokens
from tasks.queues import queue_names
from tests.support.processes import ANN, EVERYTHING, until
from tests.support.world import World, fresh_world

MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")
POLICIES = ROOT / "deploy" / "terraform" / "policies"
ACCOUNT, ENV = "000000000000", "dev"
REGION: Literal["eu-west-1"] = "eu-west-1"
API, CONSUMER = "bbws_products.aws_lambda.handler", "tasks.aws_lambda.handler"
CONSUMERS = {
    "creator": ("products.persist", 10),
    "cache-invalidator": ("products.invalidate", 10),
    "search-indexer": ("products.index", 5),
    "audit-logger": ("products.audit", 10),
}
"""The task whose queue each consumer reads, and its batch size."""
ROUTES = {
    "/v1.0/products": {"GET": "list", "POST": "create"},
    "/v1.0/products/{productId}": {
        "GET": "get",
        "HEAD": "get",
        "PATCH": "update",
        "DELETE": "delete",
    },
    "/v1.0/plans": {"GET": "list", "POST": "update"},
    "/v1.0/plans/{plan_id}": {"GET": "list", "PATCH": "update", "DELETE": "update"},
    "/v1.0/products/{productId}/changes": {"GET": "get"},
    "/v1.0/products/{productId}/changes/{version}": {"GET": "get"},
}
STRICT = {"AUTH": "true", "SERVICES": f"{SERVICES},lambda,iam,apigateway,logs,ssm,kms"}
SECRETS = f"/bbws-products/{ENV}/"
ANY_PARAMETER_PATH = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"},
        ],
    }
)
API_VARIABLES = {
    "SECRETS_SSM_PREFIX": SECRETS,
    "NUM_PROXIES": "2",
    "MEDIA_URL": "https://m/",
}


class Stack:
    """The functions, what they use, and what invokes them."""

    def __init__(self, home: Path, zipped: Path) -> None:
        self.engines = Engines(home, aws_variables=STRICT)
        self.zipped = zipped

    def start(self) -> None:
        """Start the engines; create the resources, the functions, and what invokes them."""
        self.engines.start()
        create_queues(ENV, visibility=10)
        self.world: World = fresh_world(self.engines, ENV)
        self.lambda_, self.iam = boto3.client("lambda"), boto3.client("iam")
        self._store_secrets()
        self._upload_zip()
        for name in ("list", "get", "create", "update", "delete"):
            self._create_function(name, API, API_VARIABLES)
        for name, (task, batch_size) in CONSUMERS.items():
            self._create_function(name, CONSUMER, {"RELAY_AFTER_SECONDS": "1"})
            response, error = self.invoke(name, {"Records": []})
            assert (response, error) == ({"batchItemFailures": []}, None)
            self._create_mapping(name, task, batch_size)
        self.address = self._create_gateway()

    def stop(self) -> None:
        self.engines.stop()

    # Resources, as Terraform creates them

    def _store_secrets(self) -> None:
        ssm = boto3.client("ssm")
        for name in ("SECRET_KEY", "TOKEN_KEYS"):
            ssm.put_parameter(Name=SECRETS + name, Value=os.environ[name], Type="SecureString")

    def _upload_zip(self) -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket="artefacts", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        s3.upload_file(str(self.zipped), "artefacts", "products-lambda.zip")

    def _create_function(self, name: str, handler: str, variables: dict[str, str]) -> None:
        settings = f"bbws_products.settings.{'api' if handler == API else 'worker'}"
        common = {**self._variables(), "DJANGO_SETTINGS_MODULE": settings}
        self.lambda_.create_function(
            FunctionName=function_name(name),
            Runtime="python3.12",
            Role=self._create_role(name),
            Handler=handler,
            Code={"S3Bucket": "artefacts", "S3Key": "products-lambda.zip"},
            Timeout=30,
            MemorySize=256,
            Environment={"Variables": {**common, **variables}},
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

    def _create_role(self, name: str) -> str:
        role_name = f"{NAMES[name]}-role-{ENV}"
        trust = render_policy("trust-service", service="lambda.amazonaws.com", account_id=ACCOUNT)
        role = self.iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust)
        policy = render_policy(name, **self._policy_names(name))
        self.iam.put_role_policy(RoleName=role_name, PolicyName="own", PolicyDocument=policy)
        if "GetParametersByPath" in policy:
            # AWS checks this call against the path's ARN, but ministack against all parameters.
            self.iam.put_role_policy(
                RoleName=role_name, PolicyName="any-path", PolicyDocument=ANY_PARAMETER_PATH
            )
        return str(role["Role"]["Arn"])

    def _policy_names(self, name: str) -> dict[str, str]:
        """Return the values of the variables in the policy templates."""
        queue_arns = {
            part: arn("sqs", f"bbws-product-{part}")
            for part in ("change", "cache", "search", "audit")
        }
        distribution = f"distribution/{self.world.distribution}"
        return {
            **{f"{part}_queue_arn": f"{prefix}-{ENV}" for part, prefix in queue_arns.items()},
            **{f"{part}_dlq_arn": f"{prefix}-dlq-{ENV}" for part, prefix in queue_arns.items()},
            "region": REGION,
            "table_arn": arn("dynamodb", f"table/{self.world.table}"),
            "audit_bucket_arn": f"arn:aws:s3:::{self.world.bucket}",
            "media_bucket_arn": f"arn:aws:s3:::bbws-product-media-{ENV}",
            "distribution_arn": f"arn:aws:cloudfront::{ACCOUNT}:{distribution}",
            "search_domain_arn": arn("es", "domain/products"),
            "search_alias": self.world.alias,
            "secrets_arn": arn("ssm", f"parameter{SECRETS.rstrip('/')}"),
            "secrets_key_arn": arn("kms", "key/secrets"),
            "log_group_arn": arn("logs", f"log-group:/aws/lambda/{function_name(name)}"),
        }

    def _create_mapping(self, name: str, task: str, batch_size: int) -> None:
        self.lambda_.create_event_source_mapping(
            EventSourceArn=arn("sqs", queue_names(ENV)[task]),
            FunctionName=function_name(name),
            BatchSize=batch_size,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def _create_gateway(self) -> str:
        """Create the API Gateway; return the base URL of its stage."""
        gateway = boto3.client("apigateway")
        api = gateway.create_rest_api(name=f"bbws-product-api-{ENV}")
        api_id = api["id"]
        resource_ids = {"": api["rootResourceId"]}
        for path, methods in ROUTES.items():
            for method, name in methods.items():
                resource_id = create_resource(gateway, api_id, path, resource_ids)
                where = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": method}
                gateway.put_method(**where, authorizationType="NONE")
                gateway.put_integration(
                    **where,
                    type="AWS_PROXY",
                    integrationHttpMethod="POST",
                    uri=invocation_uri(name),
                )
        gateway.create_deployment(restApiId=api_id, stageName="v1")
        return f"{self.engines.aws_url}/_aws/execute-api/{api_id}/v1"

    # Calls

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, Any]:
        """Call the API; return the status, the body and the headers of the response."""
        sent_headers = {
            "Authorization": f"Bearer {self.token()}",
            "Content-Type": "application/json",
            **headers,
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, sent_headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=280) as response:
                return response.status, _json_or_none(response.read()), response.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json_or_none(error.read()), error.headers

    def token(self) -> str:
        return tokens.sign(
            ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=1), token_id="t"
        )

    def invoke(self, name: str, event: Any) -> tuple[Any, str | None]:
        """Invoke a function; return its result, and the kind of its error if it failed."""
        response = self.lambda_.invoke(
            FunctionName=function_name(name), Payload=json.dumps(event).encode()
        )
        return json.loads(response["Payload"].read()), response.get("FunctionError")

    def complete(self, product_id: str, version: int = 1) -> dict[str, Any]:
        """Wait until all effects of a change are done; return its receipt."""

        def complete_receipt() -> dict[str, Any]:
            _, body, _ = self.call("GET", f"/v1.0/products/{product_id}/changes/{version}")
            return dict(body) if body and body.get("status") == "complete" else {}

        return until(complete_receipt, seconds=60)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def invocation_uri(name: str) -> str:
    """Return the URI by which API Gateway invokes a function."""
    function_arn = arn("lambda", f"function:{function_name(name)}")
    prefix = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"
    return f"{prefix}/{function_arn}/invocations"


def create_resource(gateway: Any, api_id: str, path: str, resource_ids: dict[str, str]) -> str:
    """Create the resource of a path and its parents; return its id.

    ``resource_ids`` holds the ids by path of the existing resources; new ones are added.
    """
    if path not in resource_ids:
        parent_path, _, part = path.rpartition("/")
        parent_id = create_resource(gateway, api_id, parent_path, resource_ids)
        resource = gateway.create_resource(restApiId=api_id, parentId=parent_id, pathPart=part)
        resource_ids[path] = resource["id"]
    return resource_ids[path]


def function_name(name: str) -> str:
    return full_name(name, ENV)


def render_policy(policy: str, **names: str) -> str:
    """Return a policy as Terraform's templatefile renders it."""
    text = Template((POLICIES / f"{policy}.json.tftpl").read_text()).substitute(names)
    return json.dumps(json.loads(text))


def _json_or_none(body: bytes) -> Any:
    with suppress(ValueError):
        return json.loads(body)
    return None
