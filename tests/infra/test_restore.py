"""The runbook's restore from point-in-time recovery, and its move to another region.

The tests run the commands of docs/operations.md. The embedded engine keeps no history of a table
and restores its current state. So the restore is started at the time to which it should return, and
later changes are lost. To measure the steps with more products:

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
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.functions import full_name
from deploy.local.engines import ROOT, stop
from tests.support.aws_environment import Environment, make_functions
from tests.support.builders import fields
from tests.support.processes import Deployment, until
from tests.support.world import World

PRODUCTS = int(os.environ.get("RESTORED_PRODUCTS", "5"))
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
INDEXES = {
    "ProductsByPriceIndex",
    "ProductsByCreatedIndex",
    "OpenChangesIndex",
    "LatestChangesIndex",
    "ProductsByNameIndex",
    "ProductsByUpdateIndex",
    "StoredRecordsIndex",
}


def page(heading: str) -> str:
    """Return a section of the runbook; a command that goes on is one line."""
    text = RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.sub(r"\\\n\s*", " ", text)


RESTORE, OTHER_REGION = page("Restoring from point-in-time recovery"), page("Another region")

pytestmark = pytest.mark.needs("aws")


def documented(step: int, *starts: str, text: str = RESTORE, **changes: str) -> str:
    """Return the commands of a step of the page that start with one of ``starts``, in order.

    ``changes`` are replacements in these commands.
    """
    text = re.split(r"^\d+\. ", text, flags=re.MULTILINE)[step]
    lines = [
        "".join(pair).strip() for pair in re.findall(r"`(aws [^`]+)`|^ +(.+)$", text, re.MULTILINE)
    ]
    found = "\n".join(line for line in lines if line.startswith(starts))
    assert found, text
    for name, value in changes.items():
        assert name in found
        found = found.replace(name, value)
    return found


class Operator:
    """Runs commands with the variables of an environment, and measures steps."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.took = deployment, dict[str, float]()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.took[name] = time.monotonic() - began

    def print_times(self) -> None:
        for name, seconds in self.took.items():
            sys.stdout.write(f"\n{name}: {seconds:.1f} s")

    def run(self, *command: str, code: int = 0, **variables: str) -> str:
        """Run a command that must end with this exit code; return its output."""
        path = f"{ROOT / '.venv-lint/bin'}:{os.environ['PATH']}"
        env = self.deployment.variables | {"PATH": path, "AWS_PAGER": ""} | variables
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def run_script(self, commands: str) -> str:
        """Run the commands in a shell, with the table name of this environment."""
        script = commands.replace("bbws-products-ENV", self.deployment.world.table)
        return self.run("bash", "-ec", script)

    def manage(self, *arguments: str, code: int = 0, **variables: str) -> str:
        return self.run(sys.executable, "manage.py", *arguments, code=code, **variables)


@pytest.fixture
def operator(deployment: Deployment) -> Operator:
    return Operator(deployment)


def create(deployment: Deployment, *numbers: int) -> None:
    """Create these products in batches of 100, and wait until they are complete."""
    products = [fields(productId=f"p{number}", name=f"Product {number}") for number in numbers]
    items = [{"action": "create", "product": product} for product in products]
    for first in range(0, len(items), 100):
        batch = {"mode": "each", "items": items[first : first + 100]}
        status, body, _ = deployment.call("POST", "/v1.0/products:batch", batch)
        assert status in (200, 202, 207), body
    for number in numbers:
        until(partial(is_complete, deployment, f"p{number}"), seconds=300)


def is_complete(deployment: Deployment, product_id: str) -> bool:
    return bool(deployment.receipt(product_id)["status"] == "complete")


@pytest.mark.timeout(600)
def test_restored_table_becomes_a_complete_catalogue(operator: Operator) -> None:
    deployment, world = operator.deployment, operator.deployment.world
    worker = deployment.start_worker()
    deployment.start_web()
    create(deployment, *range(PRODUCTS))

    with operator.step("3 restore to a second table"):
        operator.run_script(documented(3, "aws dynamodb", "until"))

    # After that time three changes are accepted, one is not yet stored, and two items are deleted.
    status, _, _ = deployment.call(
        "PATCH", "/v1.0/products/p1", {"price": "77.00"}, Prefer="wait=10"
    )
    assert status == 200
    deployment.complete("p1", 2)
    create(deployment, PRODUCTS)
    stop(worker)
    assert deployment.call("PATCH", "/v1.0/products/p3", {"price": "79.00"})[0] == 202
    for sort in ("METADATA", f"CHANGE#{1:012d}"):
        world.dynamodb.delete_item(
            TableName=world.table, Key={"PK": {"S": "PRODUCT#p2"}, "SK": {"S": sort}}
        )

    with operator.step("1 stop all writers"):
        deployment.stop()
    with operator.step("2 back up the current table"):
        operator.run_script(documented(2, "aws dynamodb"))
    with operator.step("4 check the restored table"):
        output = operator.manage("verify_audit", code=1, PRODUCTS_TABLE=f"{world.table}-restored")
    lost = f"p{PRODUCTS}"
    assert {tuple(line.split()[:3]) for line in output.splitlines()} == {
        ("audit-of-no-change", "p1", "v2:"),
        ("audit-of-no-change", lost, "v1:"),
    }

    protect_restored_table(operator)
    damaged = switch_tables(deployment)
    with operator.step("7 rebuild the index"):
        operator.manage("rebuild_search_index")
    assert world.document(lost) is None
    operator.run_script(documented(8, "aws cloudfront", ID=world.distribution))

    with operator.step("12 start all writers and repair"):
        deployment.start_worker()
        deployment.start_web()
        operator.manage("requeue_open_changes", "--failed")
        report = operator.manage("verify_catalogue", "--repair", code=1)
    # Only audit records without a change remain: S3 keeps what the change log has lost.
    assert found(report) == {("audit-of-no-change", "p1"), ("audit-of-no-change", lost)}
    assert "not repaired: it is evidence" in report
    # Step 10: the message of the lost change becomes a dead letter.
    until(lambda: world.dead_letters("products.persist"), seconds=120)
    assert "p3" in operator.manage("redrive", "--dry-run")

    with operator.step("13 enter the lost changes again"):
        new_price = {"price": "78.00"}
        status, _, _ = deployment.call("PATCH", "/v1.0/products/p1", new_price, Prefer="wait=10")
        assert status == 200
        create(deployment, PRODUCTS)
        deployment.complete("p1", 2)
    deployment.assert_one_of_each("p2")
    assert_current(world, "p1", version=2, price="78.00")
    assert_current(world, lost, version=1, price="1500.00")
    assert found(operator.manage("verify_catalogue", code=1)) == found(report)
    assert world.dynamodb.describe_table(TableName=damaged)  # as evidence
    operator.print_times()


def protect_restored_table(operator: Operator) -> None:
    """Run step 5: a restored table lacks some settings, and afterwards none."""
    world = operator.deployment.world
    restored = f"{world.table}-restored"
    lacking = {"time to live", "point-in-time recovery", "deletion protection"}
    assert missing_settings(world, restored) == lacking
    with operator.step("5 protect the restored table"):
        operator.run_script(documented(5, "aws dynamodb"))
    assert missing_settings(world, restored) == set()


def switch_tables(deployment: Deployment) -> str:
    """Use the restored table, as step 6 does; return the name of the damaged one.

    Readers have no gap: they use the damaged table until then.
    """
    deployment.start_web()
    assert deployment.call("GET", "/v1.0/products/p1")[0] == 200
    deployment.stop()
    damaged, deployment.world.table = deployment.world.table, f"{deployment.world.table}-restored"
    deployment.variables["PRODUCTS_TABLE"] = deployment.world.table
    return damaged


def assert_current(world: World, product_id: str, *, version: int, price: str) -> None:
    """Assert that record and search document have this version."""
    record, document = world.record(product_id), world.document(product_id)
    assert record
    assert document
    assert record["version"] == document["version"] == version
    assert f"{record['price']:.2f}" == price


def missing_settings(world: World, name: str) -> set[str]:
    """Return the settings that a restored table lacks."""
    table = world.dynamodb.describe_table(TableName=name)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == INDEXES
    answer = world.dynamodb.describe_continuous_backups(TableName=name)
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    expiry = world.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    settings = {
        "time to live": expiry["TimeToLiveStatus"] == "ENABLED",
        "point-in-time recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
        "deletion protection": table.get("DeletionProtectionEnabled", False),
    }
    return {name for name, is_set in settings.items() if not is_set}


@pytest.mark.timeout(300)
def test_other_region_is_rebuilt_from_the_table(operator: Operator, tmp_path: Path) -> None:
    """Queues, index, audit bucket, distribution and users are new, as in another region."""
    old = operator.deployment
    worker = old.start_worker()
    old.start_web()
    create(old, *range(5))
    stop(worker)
    # This change's message gets lost.
    assert old.call("PATCH", "/v1.0/products/p3", {"price": "79.00"})[0] == 202
    old.stop()
    create_backup = ["aws", "dynamodb", "create-backup", "--backup-name", "moved"]
    backup = operator.run(*create_backup, "--table-name", old.world.table)

    new = Deployment(old.world.engines, tmp_path / "new")
    new_operator = Operator(new)
    try:
        new.home.mkdir(exist_ok=True)
        arn = json.loads(backup)["BackupDetails"]["BackupArn"]
        restore = documented(3, "aws dynamodb restore", text=OTHER_REGION, ARN=arn)
        new_operator.run_script(restore)
        new.world.table = new.variables["PRODUCTS_TABLE"] = f"{new.world.table}-restored"
        new_operator.manage("rebuild_search_index")
        new.start_worker()
        new.start_web()
        new.start_scheduler()
        effects = new.complete("p3", 2)["effects"]
        assert {effect["state"] for effect in effects.values()} == {"done"}
        report = new_operator.manage("verify_catalogue", "--repair", code=1)
        assert {kind for kind, _ in found(report)} == {"audit-missing"}
        assert "no differences" in new_operator.manage("verify_catalogue")
        assert "the audit trail is intact" in new_operator.manage("verify_audit")
        assert set(old.world.audit_records()) < set(new.world.audit_records())
        assert new.call("GET", "/v1.0/products?limit=100")[1]["count"] == 5
        assert new.call("GET", "/v1.0/products?q=Product")[1]["count"] == 5
    finally:
        new.stop()


# Lambda


def test_runbook_stops_and_starts_all_writers(operator: Operator, environment: Environment) -> None:
    make_functions(environment)
    client: Any = boto3.client("lambda")

    def mapping_states() -> set[str]:
        mappings = client.list_event_source_mappings()["EventSourceMappings"]
        alias = f"-{environment.name}:live"
        return {mapping["State"] for mapping in mappings if alias in mapping["FunctionArn"]}

    def stopped_functions() -> set[str]:
        stopped = set()
        for part in ("list", "get", "create", "update", "delete", "creator"):
            name = full_name(part, environment.name)
            limit = client.get_function_concurrency(FunctionName=name)
            if limit.get("ReservedConcurrentExecutions") == 0:
                stopped.add(part)
        return stopped

    for step, states, stopped in (
        (1, {"Disabled", "Disabling"}, {"create", "update", "delete", "creator"}),
        (12, {"Enabled", "Enabling"}, set()),
    ):
        text = re.split(r"^\d+\. ", RESTORE, flags=re.MULTILINE)[step]
        script = re.findall(r"```\n(.*?)```", text, re.DOTALL)[0]
        operator.deployment.variables["AWS_ENDPOINT_URL"] = os.environ["AWS_ENDPOINT_URL"]
        operator.run("bash", "-ec", script.replace("ENV", environment.name))
        assert mapping_states() <= states
        assert stopped_functions() == stopped


def found(report: str) -> set[tuple[str, str]]:
    """Return kind and product of each difference."""
    lines = [line.split() for line in report.replace(":", " ").splitlines()]
    return {(kind, product_id) for kind, product_id, *_ in lines}
