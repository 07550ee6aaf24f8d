"""The runbook's restore from point-in-time recovery, by its own commands, and its way into another region.

The engine keeps one state of a table, not each of its moments, and restores what is there when it is asked. So it is
asked at the moment that is gone back to, and what comes later gets lost. How long the steps take with more products:

    RESTORED_PRODUCTS=1000 make test ARGS="-k restored_table -s"
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.local.engines import ROOT, stop
from tests.support.aws_environment import Environment, make_functions
from tests.support.builders import fields
from tests.support.processes import Deployment, until
from tests.support.world import World

PRODUCTS = int(os.environ.get("RESTORED_PRODUCTS", "5"))
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
INDEXES = {"ProductsByPriceIndex", "ProductsByCreatedIndex", "OpenChangesIndex"}
PAGE = (
    RUNBOOK.partition("\n## Restoring from point-in-time recovery\n")[2]
    .partition("\n## ")[0]
    .replace("\\\n", " ")
)

pytestmark = pytest.mark.needs("aws")


def documented(step: int, start: str, **changes: str) -> str:
    """All commands of a step of the page that begin so, in order."""
    text = re.split(r"^\d+\. ", PAGE, flags=re.MULTILINE)[step]
    lines = [
        "".join(pair).strip() for pair in re.findall(r"`(aws [^`]+)`|^ +(.+)$", text, re.MULTILINE)
    ]
    found = "\n".join(line for line in lines if line.startswith(start))
    assert found, text
    for name, value in changes.items():
        assert name in found
        found = found.replace(name, value)
    return found


class Operator:
    """At one machine, with the variables of the environment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.took = deployment, dict[str, float]()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.took[name] = time.monotonic() - began

    def run(self, *command: str, code: int = 0, **variables: str) -> str:
        path = f"{ROOT / '.venv-lint/bin'}:{os.environ['PATH']}"
        env = self.deployment.variables | {"PATH": path, "AWS_PAGER": ""} | variables
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def type(self, commands: str) -> str:
        """Into a shell, with the names of this environment."""
        return self.run(
            "bash", "-ec", commands.replace("bbws-products-ENV", self.deployment.world.table)
        )

    def manage(self, *arguments: str, code: int = 0, **variables: str) -> str:
        return self.run(sys.executable, "manage.py", *arguments, code=code, **variables)


@pytest.fixture
def operator(deployment: Deployment) -> Operator:
    return Operator(deployment)


def create(deployment: Deployment, *numbers: int) -> None:
    for first in range(0, len(numbers), 100):
        items = [
            {
                "action": "create",
                "product": fields(productId=f"p{number}", name=f"Product {number}"),
            }
            for number in numbers[first : first + 100]
        ]
        status, body, _ = deployment.call(
            "POST", "/v1.0/products:batch", {"mode": "each", "items": items}
        )
        assert status in (200, 202, 207), body
    for number in numbers:
        until(
            lambda number=number: deployment.receipt(f"p{number}")["status"] == "complete",
            seconds=300,
        )


def given_the_name(operator: Operator) -> None:
    """Step 5, in two parts, since the second wants what the first has made."""
    *backed_up, restore, wait = documented(5, "aws dynamodb").splitlines()
    operator.type("\n".join(backed_up))
    wanted = "BackupSummaries[?BackupName=='restored'].BackupArn"
    arns = json.loads(operator.run("aws", "dynamodb", "list-backups", "--query", wanted))
    operator.type("\n".join([restore.replace("ARN", arns[-1]), wait]))


@pytest.mark.timeout(600)
def test_a_restored_table_becomes_a_whole_catalogue_again(operator: Operator) -> None:
    deployment, world = operator.deployment, operator.deployment.world
    worker = deployment.start_worker()
    deployment.start_web()
    create(deployment, *range(PRODUCTS))

    with operator.step("3 restore beside it"):
        operator.type(documented(3, "aws dynamodb"))

    # What comes after that moment: three accepted changes, one of them on its way; and somebody deletes from the table.
    assert (
        deployment.call("PATCH", "/v1.0/products/p1", {"price": "77.00"}, Prefer="wait=10")[0]
        == 200
    )
    deployment.complete("p1", 2)
    create(deployment, PRODUCTS)
    stop(worker)
    assert deployment.call("PATCH", "/v1.0/products/p3", {"price": "79.00"})[0] == 202
    for sort in ("METADATA", f"CHANGE#{1:012d}"):
        world.dynamodb.delete_item(
            TableName=world.table, Key={"PK": {"S": "PRODUCT#p2"}, "SK": {"S": sort}}
        )

    with operator.step("1 stop what writes"):
        deployment.stop()
    with operator.step("2 save what is there"):
        operator.type(documented(2, "aws dynamodb"))
    with operator.step("4 look at it"):
        told = operator.manage("verify_audit", code=1, PRODUCTS_TABLE=f"{world.table}-restored")
    lost = f"p{PRODUCTS}"
    assert {tuple(line.split()[:3]) for line in told.splitlines()} == {
        ("audit-of-no-change", "p1", "v2:"),
        ("audit-of-no-change", lost, "v1:"),
    }

    with operator.step("5 give it the name"):
        given_the_name(operator)
    assert lacks(world) == {"time to live", "point-in-time recovery", "deletion protection"}
    with operator.step("7 rebuild the index"):
        operator.manage("rebuild_search_index")
    assert world.document(lost) is None
    operator.type(documented(8, "aws cloudfront", ID=world.distribution))

    with operator.step("12 start what writes, and mend"):
        deployment.start_worker()
        deployment.start_web()
        operator.manage("ring_open_changes", "--failed")
        mended = operator.manage("verify_catalogue", "--repair", code=1)
    # Whatever else was wrong is right now; S3 keeps what the log no longer knows, for ever.
    assert found(mended) == {("audit-of-no-change", "p1"), ("audit-of-no-change", lost)}
    assert "not repaired: it is evidence" in mended
    # The message of a change that is lost: step 10.
    until(lambda: world.dead_letters("products.persist"), seconds=120)
    assert "p3" in operator.manage("redrive", "--dry-run")

    with operator.step("13 enter the lost changes again"):
        assert (
            deployment.call("PATCH", "/v1.0/products/p1", {"price": "78.00"}, Prefer="wait=10")[0]
            == 200
        )
        create(deployment, PRODUCTS)
        deployment.complete("p1", 2)
    deployment.assert_one_of_each("p2")
    for product_id, version, price in (("p1", 2, "78.00"), (lost, 1, "1500.00")):
        record, document = world.record(product_id), world.document(product_id)
        assert record
        assert document
        assert (record["version"], document["version"], f"{record['price']:.2f}") == (
            version,
            version,
            price,
        )
    told = operator.manage("verify_catalogue", code=1)
    assert found(told) == found(mended)
    sys.stdout.write(
        "".join(f"\n{name}: {seconds:.1f} s" for name, seconds in operator.took.items())
    )


def lacks(world: World) -> set[str]:
    """What its table has not, of what a table of ours has and a restore does not give it."""
    there = world.dynamodb.describe_table(TableName=world.table)["Table"]
    assert {index["IndexName"] for index in there["GlobalSecondaryIndexes"]} == INDEXES
    backups = world.dynamodb.describe_continuous_backups(TableName=world.table)[
        "ContinuousBackupsDescription"
    ]
    expiry = world.dynamodb.describe_time_to_live(TableName=world.table)["TimeToLiveDescription"]
    has = {
        "time to live": expiry["TimeToLiveStatus"] == "ENABLED",
        "point-in-time recovery": backups["PointInTimeRecoveryDescription"][
            "PointInTimeRecoveryStatus"
        ]
        == "ENABLED",
        "deletion protection": there.get("DeletionProtectionEnabled", False),
    }
    return {what for what, is_there in has.items() if not is_there}


@pytest.mark.timeout(300)
def test_in_another_region_all_but_the_table_comes_out_of_it_anew(
    operator: Operator, tmp_path: Path
) -> None:
    """Queues, index, audit bucket, distribution and users are fresh; a region of its own is all that it lacks here."""
    old = operator.deployment
    worker = old.start_worker()
    old.start_web()
    create(old, *range(5))
    stop(worker)
    assert (
        old.call("PATCH", "/v1.0/products/p3", {"price": "79.00"})[0] == 202
    )  # its message gets lost
    old.stop()
    backup = operator.run(
        "aws",
        "dynamodb",
        "create-backup",
        "--backup-name",
        "moved",
        "--table-name",
        old.world.table,
    )

    there = Deployment(old.world.engines, tmp_path / "there")
    moving = Operator(there)
    try:
        there.home.mkdir(exist_ok=True)
        there.world.dynamodb.delete_table(TableName=there.world.table)
        arn = json.loads(backup)["BackupDetails"]["BackupArn"]
        restore = next(line for line in documented(5, "aws dynamodb restore").splitlines())
        moving.type(restore.replace("ARN", arn))
        moving.manage("rebuild_search_index")
        there.start_worker()
        there.start_web()
        there.start_scheduler()
        assert {effect["state"] for effect in there.complete("p3", 2)["effects"].values()} == {
            "done"
        }
        mended = moving.manage("verify_catalogue", "--repair", code=1)
        assert {kind for kind, _ in found(mended)} == {"audit-missing"}
        assert "no differences" in moving.manage("verify_catalogue")
        assert "the audit trail is intact" in moving.manage("verify_audit")
        audited = [deployment.world.audit_records() for deployment in (old, there)]
        assert set(audited[0]) < set(audited[1])
        assert there.call("GET", "/v1.0/products?limit=100")[1]["count"] == 5
        assert there.call("GET", "/v1.0/products?q=Product")[1]["count"] == 5
    finally:
        there.stop()


# Lambda


def test_what_writes_is_stopped_and_started_as_the_page_says(
    operator: Operator, environment: Environment
) -> None:
    make_functions(environment)
    client: Any = boto3.client("lambda")

    def mappings() -> set[str]:
        there = client.list_event_source_mappings()["EventSourceMappings"]
        return {one["State"] for one in there if f"-{environment.name}:live" in one["FunctionArn"]}

    def held() -> set[str]:
        parts = ("list", "get", "create", "update", "delete", "creator")
        names = {part: f"bbws-product-{part}-{environment.name}" for part in parts}
        limits = {
            part: client.get_function_concurrency(FunctionName=name) for part, name in names.items()
        }
        return {
            part for part, limit in limits.items() if limit.get("ReservedConcurrentExecutions") == 0
        }

    for step, states, stopped in (
        (1, {"Disabled", "Disabling"}, {"create", "update", "delete", "creator"}),
        (12, {"Enabled", "Enabling"}, set()),
    ):
        block = re.findall(
            r"```\n(.*?)```", re.split(r"^\d+\. ", PAGE, flags=re.MULTILINE)[step], re.DOTALL
        )[0]
        operator.deployment.variables["AWS_ENDPOINT_URL"] = os.environ["AWS_ENDPOINT_URL"]
        operator.run("bash", "-ec", block.replace("ENV", environment.name))
        assert mappings() <= states
        assert held() == stopped


def found(told: str) -> set[tuple[str, str]]:
    """Kind and product of each difference."""
    return {
        (kind, product_id)
        for kind, product_id, *_ in map(str.split, told.replace(":", " ").splitlines())
    }
