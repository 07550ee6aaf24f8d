"""The apply role's policies, enforced by a ministack: first deployment, change and teardown."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deploy.local.engines import Engines
from tests.infra.test_apply_role import APPLY, BOUNDARY, FOLDER

ACCOUNT, REGION, ENV = "000000000000", "eu-west-1", "dev"
SERVICES = "dynamodb,sqs,s3,sns,iam,sts,lambda,logs"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    ],
}
VALUES = {
    "account_id": ACCOUNT,
    "region": REGION,
    "environment": ENV,
    "state_arn": f"arn:aws:s3:::bbws-terraform-state-{ENV}",
    "zips_arn": "arn:aws:s3:::artefacts",
    "images_arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/bbws-products",
    "boundary": BOUNDARY.format(account=ACCOUNT, env=ENV),
    "secrets_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/secrets",
}
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def apply_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a function that returns clients with the credentials of the apply role."""
    home = tmp_path_factory.mktemp("apply")
    engine = Engines(home, services=SERVICES, aws_variables={"AUTH": "true"})
    engine.start_aws()
    admin = boto3.session.Session("test", "test", region_name=REGION)
    iam = admin.client("iam", endpoint_url=engine.aws_url)
    role = iam.create_role(RoleName="apply", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    for name in APPLY:
        text = (FOLDER / f"{name}.json.tftpl").read_text()
        for placeholder, value in VALUES.items():
            text = text.replace(f"${{{placeholder}}}", value)
        iam.put_role_policy(RoleName="apply", PolicyName=name, PolicyDocument=text)
    sts = admin.client("sts", endpoint_url=engine.aws_url)
    keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="github")["Credentials"]
    session = boto3.session.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
    )
    create: Any = session.client
    yield lambda service: create(service, endpoint_url=engine.aws_url)
    engine.stop()


def refuses(call: Callable[..., Any], **arguments: Any) -> bool:
    """Return whether the engine denies a call."""
    try:
        call(**arguments)
    except ClientError as refusal:
        return "AccessDenied" in refusal.response["Error"]["Code"]
    return False


TABLE: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def test_table_queue_bucket_and_topic_live_and_end(apply_client: Client) -> None:
    dynamodb, sqs, s3 = map(apply_client, ("dynamodb", "sqs", "s3"))
    name = f"bbws-products-{ENV}"
    dynamodb.create_table(TableName=name, **TABLE)
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert refuses(dynamodb.put_item, TableName=name, Item={"PK": {"S": "1"}})
    dynamodb.delete_table(TableName=name)
    url = sqs.create_queue(QueueName=f"bbws-product-change-{ENV}")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    sqs.delete_queue(QueueUrl=url)
    bucket = f"bbws-product-audit-logs-{ENV}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert refuses(s3.put_object, Bucket=bucket, Key="2026/01/01/p1.json", Body=b"{}")
    s3.delete_bucket(Bucket=bucket)
    sns = apply_client("sns")
    arn = sns.create_topic(Name=f"bbws-product-alerts-{ENV}")["TopicArn"]
    entry = sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@bbws.example")
    assert entry["SubscriptionArn"]
    sns.delete_topic(TopicArn=arn)


def test_other_names_are_refused(apply_client: Client) -> None:
    assert refuses(apply_client("dynamodb").create_table, TableName="other", **TABLE)
    assert refuses(apply_client("sqs").create_queue, QueueName="other")
    configuration = {"LocationConstraint": REGION}
    create_bucket = apply_client("s3").create_bucket
    assert refuses(create_bucket, Bucket="other", CreateBucketConfiguration=configuration)


def test_role_without_a_boundary_is_refused(apply_client: Client) -> None:
    """This engine knows no boundaries; ``test_apply_role.py`` shows what they allow."""
    iam = apply_client("iam")
    role = f"bbws-list-products-role-{ENV}"
    assert refuses(iam.create_role, RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert refuses(iam.put_user_policy, UserName="u", PolicyName="p", PolicyDocument="{}")
