"""The apply role may create, change and destroy all that Terraform plans, and no more than that.

The calls of each resource type are in ``provider_calls.py``.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import ROOT
from tests.infra.provider_calls import CALLS, NETWORK, NEW, OTHER_RESOURCES
from tests.support.iam import Call, is_allowed, statements
from tests.support.terraform import PlannedEnvironment

FOLDER = ROOT / "deploy" / "bootstrap" / "policies"
ON: dict[str, list[str]] = json.loads(Path(__file__).with_name("iam_actions.json").read_text())
"""The resource types on which AWS checks an action; an empty list means only `*`."""
PROJECT = "bbws-products"
BOUNDARY = "arn:aws:iam::{account}:policy/bbws-products-boundary-{env}"
MAX_POLICY_LENGTH = 6144
planned = pytest.mark.needs("terraform", "terraform-offline")


def names(
    env: str = "prod", region: str = "af-south-1", account: str = "333333333333"
) -> dict[str, str]:
    bucket = f"arn:aws:s3:::bbws-products-artefacts-{account}-{region}"
    return {
        "account_id": account,
        "region": region,
        "environment": env,
        "state_arn": f"arn:aws:s3:::bbws-terraform-state-{env}",
        "zips_arn": bucket,
        "images_arn": f"arn:aws:ecr:{region}:{account}:repository/bbws-products",
        "boundary": BOUNDARY.format(account=account, env=env),
        "secrets_key_arn": f"arn:aws:kms:{region}:{account}:key/secrets",
        "backups_key_arn": f"arn:aws:kms:{region}:{account}:key/backups",
    }


@cache
def document(name: str) -> dict[str, Any]:
    text = (FOLDER / f"{name}.json.tftpl").read_text()
    for placeholder, value in names().items():
        text = text.replace(f"${{{placeholder}}}", value)
    assert "${" not in text
    return dict(json.loads(text))


APPLY = ("apply-application", "apply-delivery", "apply-containers", "apply-roles")


def apply_policies() -> list[Any]:
    return statements(*map(document, APPLY))


def filled(arn: str) -> str:
    return arn.format(region="af-south-1", account="333333333333", env="prod")


def expected_calls(kind: str, action: str) -> Iterator[Call]:
    """Yield a call for each resource on which AWS checks an action."""
    context = {"aws:RequestTag/Project": PROJECT}
    if action in NETWORK:
        for resource, state in NETWORK[action].items():
            tag = "RequestTag" if state == NEW else "ResourceTag"
            arn = filled(f"arn:aws:ec2:{{region}}:{{account}}:{resource}/1")
            yield Call(action, arn, {f"aws:{tag}/Project": PROJECT})
        return
    if action.startswith("ec2:") and kind != "aws_default_security_group":
        context = {"aws:ResourceTag/Project": PROJECT}
    if action.startswith("iam:"):
        context = {
            "iam:PermissionsBoundary": filled(BOUNDARY),
            "iam:PassedToService": "lambda.amazonaws.com",
        }
    resources = OTHER_RESOURCES.get(action) or [CALLS[kind].on if ON[action] else "*"]
    yield from (Call(action, filled(resource), context) for resource in resources)


@planned
def test_table_has_every_planned_resource_type(infra: PlannedEnvironment) -> None:
    types = {resource["type"] for resource in infra.resources if resource["mode"] == "managed"}
    assert types - set(CALLS) == set()


@pytest.mark.parametrize("phase", ["create", "change", "destroy"])
def test_role_may_make_every_call(phase: str) -> None:
    policies = apply_policies()
    refused = [
        (kind, call.action, call.resource)
        for kind, calls in CALLS.items()
        for action in calls.of(phase)
        for call in expected_calls(kind, action)
        if not is_allowed(call, policies)
    ]
    assert refused == []


def test_actions_of_the_table_exist() -> None:
    actions = {action for calls in CALLS.values() for action in calls.actions}
    assert actions == set(ON)
    assert set(NETWORK) <= actions


@pytest.mark.parametrize(
    "call",
    [
        Call("iam:CreateRole", "arn:aws:iam::333333333333:role/bbws-x-role-prod"),
        Call(
            "iam:CreateRole",
            "arn:aws:iam::333333333333:role/bbws-x-role-prod",
            {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        Call("iam:PutRolePolicy", "arn:aws:iam::333333333333:role/bbws-x-role-prod"),
        Call("iam:AttachRolePolicy", "arn:aws:iam::333333333333:role/bbws-x-role-prod"),
        Call(
            "iam:DeleteRolePermissionsBoundary", "arn:aws:iam::333333333333:role/bbws-x-role-prod"
        ),
        Call("iam:CreatePolicyVersion", filled(BOUNDARY)),
        Call(
            "iam:UpdateAssumeRolePolicy", "arn:aws:iam::333333333333:role/bbws-products-apply-prod"
        ),
        Call("kms:ScheduleKeyDeletion", "arn:aws:kms:af-south-1:333333333333:key/secrets"),
        Call("s3:DeleteObject", "arn:aws:s3:::bbws-product-audit-logs-prod/2026/01/01/p1.json"),
        Call("s3:BypassGovernanceRetention", "arn:aws:s3:::bbws-product-audit-logs-prod/2026/r"),
        Call(
            "dynamodb:PutItem", "arn:aws:dynamodb:af-south-1:333333333333:table/bbws-products-prod"
        ),
        Call(
            "dynamodb:GetItem", "arn:aws:dynamodb:af-south-1:333333333333:table/bbws-products-prod"
        ),
        Call("ec2:DeleteVpc", "arn:aws:ec2:af-south-1:333333333333:vpc/another"),
        Call(
            "ec2:CreateTags",
            "arn:aws:ec2:af-south-1:333333333333:vpc/another",
            {"aws:RequestTag/Project": PROJECT},
        ),
        Call("lambda:UpdateFunctionCode", "arn:aws:lambda:af-south-1:333333333333:function:other"),
    ],
    ids=lambda call: f"{call.action} {call.resource.rpartition(':')[2]}",
)
def test_role_may_not_reach_further(call: Call) -> None:
    assert not is_allowed(call, apply_policies())


@planned
def test_boundary_allows_what_each_role_is_allowed(infra: PlannedEnvironment) -> None:
    """Otherwise a policy would grant a right that has no effect."""
    values = names(infra.env, infra.variable("region"), infra.variable("account_id"))
    text = (FOLDER / "boundary.json.tftpl").read_text()
    for placeholder, value in values.items():
        text = text.replace(f"${{{placeholder}}}", value)
    boundary = statements(text)
    policies = [
        json.loads(role["policy"]) for role in infra.of_type("aws_iam_role_policy").values()
    ]
    outside = {
        (action, resource)
        for statement in statements(*policies)
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
        if not is_allowed(Call(action, with_values(resource, values)), boundary)
    }
    assert outside == set()


def with_values(resource: str, values: dict[str, str]) -> str:
    """Return an ARN as AWS would have it; the offline provider makes up some parts."""
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[4] == "000000000000":
        service = {"dynamodb_table": "dynamodb", "sqs_queue": "sqs", "s3_bucket": "s3"}
        service |= {"cloudfront_distribution": "cloudfront", "cloudwatch_log_group": "logs"}
        service |= {"lambda_alias": "lambda"}
        real = service[parts[2]]
        name = {
            "dynamodb": f"table/{parts[5]}",
            "cloudfront": f"distribution/{parts[5]}",
            "logs": f"log-group:{parts[5]}",
            "lambda": f"function:{parts[5]}:live",
        }.get(real, parts[5])
        region, account = values["region"], values["account_id"]
        if real == "s3":
            return f"arn:aws:s3:::{name}"
        return f"arn:aws:{real}:{'' if real == 'cloudfront' else region}:{account}:{name}"
    return (
        resource.replace(
            "made-by-rds",
            f"arn:aws:secretsmanager:{values['region']}:{values['account_id']}:secret:rds!db-1",
        )
        .replace("key/of-deploy-bootstrap", "key/secrets")
        .replace("key/backups-of-deploy-bootstrap", "key/backups")
    )


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json.tftpl")), ids=lambda path: path.name)
def test_policies_fit_into_a_managed_policy(path: Path) -> None:
    assert len("".join(path.read_text().split())) < MAX_POLICY_LENGTH


def test_planning_role_reads_no_data() -> None:
    policies = [*statements(document("plan")), {"Effect": "Allow", "Action": "*", "Resource": "*"}]
    for action, resource in (
        ("dynamodb:GetItem", "arn:aws:dynamodb:af-south-1:333333333333:table/bbws-products-prod"),
        (
            "ssm:GetParametersByPath",
            "arn:aws:ssm:af-south-1:333333333333:parameter/bbws-products/prod",
        ),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:af-south-1:333333333333:secret:rds!db-1",
        ),
        ("logs:FilterLogEvents", "arn:aws:logs:af-south-1:333333333333:log-group:/aws/ecs/x"),
        ("s3:GetObject", "arn:aws:s3:::bbws-product-audit-logs-prod/2026/01/01/p1.json"),
    ):
        assert not is_allowed(Call(action, resource), policies), action
    state = "arn:aws:s3:::bbws-terraform-state-prod/products/prod.tfstate"
    assert is_allowed(Call("s3:GetObject", state), policies)
