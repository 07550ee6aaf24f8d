"""The runbook's restore from point-in-time recovery, by its own commands, from the stop to the lost changes' return.

The engine keeps one state of a table, not each of its moments, and restores what is there when it is asked. So it is
asked at the moment that is gone back to, and what comes later gets lost. How long the steps take with more products:

    RESTORED_PRODUCTS=1000 make test ARGS="-k restored_table -s"
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local.engines import ROOT
from tests.browser import refuse_to_skip
from tests.builders import fields
from tests.deployment import Deployment, until

PRODUCTS = int(os.environ.get("RESTORED_PRODUCTS", "5"))
RUNBOOK = (ROOT / "deploy" / "RUNBOOK.md").read_text()
INDEXES = {"ProductsByPriceIndex", "ProductsByCreatedIndex", "OpenChangesIndex"}
PAGE = RUNBOOK.partition("\n## Restoring from point-in-time recovery\n")[2].partition("\n## ")[0].replace("\\\n", " ")
AWS = re.findall(r"`?(aws dynamodb (?:[^`\n]|\n +)+)", PAGE)


def documented(operation: str, deployment: Deployment, **changes: str) -> list[str]:
    """The page's command for an operation of DynamoDB's, with this environment's names."""
    [found] = [command for command in AWS if command.startswith(f"aws dynamodb {operation} ")]
    for name, value in changes.items():
        assert name in found
        found = found.replace(name, value)
    return shlex.split(found.replace("bbws-products-ENV", deployment.world.table))


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
        env = self.deployment.variables | {"PATH": path} | variables
        done = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments: str, code: int = 0, **variables: str) -> str:
        return self.run(sys.executable, "manage.py", *arguments, code=code, **variables)


@pytest.fixture
def operator(deployment: Deployment) -> Operator:
    if shutil.which("aws", path=str(ROOT / ".venv-lint/bin")) is None:
        refuse_to_skip("There is no AWS command line here; `make lint-deploy` installs it.")
    return Operator(deployment)


def create(deployment: Deployment, *numbers: int) -> None:
    for first in range(0, len(numbers), 100):
        items = [
            {"action": "create", "product": fields(productId=f"p{number}", name=f"Product {number}")}
            for number in numbers[first : first + 100]
        ]
        status, body, _ = deployment.call("POST", "/v1.0/products:batch", {"mode": "each", "items": items})
        assert status in (200, 202, 207), body
    for number in numbers:
        until(lambda number=number: deployment.receipt(f"p{number}")["status"] == "complete", seconds=300)


@pytest.mark.timeout(600)
def test_a_restored_table_becomes_a_whole_catalogue_again(operator: Operator) -> None:
    deployment, world = operator.deployment, operator.deployment.world
    deployment.start_worker()
    deployment.start_web()
    create(deployment, *range(PRODUCTS))

    with operator.step("3 restore beside it"):
        operator.run(*documented("restore-table-to-point-in-time", deployment))

    # What comes after that moment: two accepted changes, and then somebody who deletes from the table.
    status, _, _ = deployment.call("PATCH", "/v1.0/products/p1", {"price": "77.00"}, Prefer="wait=10")
    assert status == 200
    deployment.complete("p1", 2)
    create(deployment, PRODUCTS)
    for sort in ("METADATA", f"CHANGE#{1:012d}"):
        world.dynamodb.delete_item(TableName=world.table, Key={"PK": {"S": "PRODUCT#p2"}, "SK": {"S": sort}})

    with operator.step("1 stop what writes"):
        deployment.stop()
    with operator.step("2 save what is there"):
        operator.run(*documented("create-backup", deployment))
    restored = f"{world.table}-restored"
    with operator.step("4 look at it"):
        told = operator.manage("verify_audit", code=1, PRODUCTS_TABLE=restored)
    lost = f"p{PRODUCTS}"
    assert {tuple(line.split()[:3]) for line in told.splitlines()} == {
        ("audit-of-no-change", "p1", "v2:"),
        ("audit-of-no-change", lost, "v1:"),
    }

    with operator.step("5 give it the name"):
        backup = operator.run("aws", "dynamodb", "create-backup", "--table-name", restored, "--backup-name", "restored")
        operator.run("aws", "dynamodb", "delete-table", "--table-name", world.table)
        arn = json.loads(backup)["BackupDetails"]["BackupArn"]
        operator.run(*documented("restore-table-from-backup", deployment), "--backup-arn", arn)
    table = world.dynamodb.describe_table(TableName=world.table)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == INDEXES
    with operator.step("7 rebuild the index"):
        operator.manage("rebuild_search_index")
    assert (world.document("p1"), world.document(lost))[1] is None

    with operator.step("12 start what writes, and mend"):
        deployment.start_worker()
        deployment.start_web()
        operator.manage("ring_open_changes", "--failed")
        mended = operator.manage("verify_catalogue", "--repair", code=1)
    # Whatever else was wrong is right now; S3 keeps what the log no longer knows, for ever.
    assert found(mended) == {("audit-of-no-change", "p1"), ("audit-of-no-change", lost)}
    assert "not mended: it is evidence" in mended

    with operator.step("13 enter the lost changes again"):
        status, _, _ = deployment.call("PATCH", "/v1.0/products/p1", {"price": "78.00"}, Prefer="wait=10")
        assert status == 200
        create(deployment, PRODUCTS)
        deployment.complete("p1", 2)
    deployment.alone("p2")
    for product_id, version, price in (("p1", 2, "78.00"), (lost, 1, "1500.00")):
        record, document = world.record(product_id), world.document(product_id)
        assert record
        assert document
        assert (record["version"], document["version"], f"{record['price']:.2f}") == (version, version, price)
    told = operator.manage("verify_catalogue", code=1)
    assert found(told) == found(mended)
    sys.stdout.write("".join(f"\n{name}: {seconds:.1f} s" for name, seconds in operator.took.items()))


def found(told: str) -> set[tuple[str, str]]:
    """Kind and product of each difference."""
    return {(kind, product_id) for kind, product_id, *_ in map(str.split, told.replace(":", " ").splitlines())}
