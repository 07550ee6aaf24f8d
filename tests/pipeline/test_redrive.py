"""Dead letters go back to their queue: none is lost, and those already done can be dropped."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError

from bbws_products.celery import app
from products import bootstrap, maintenance, scheduling
from products.acceptance import Acceptance
from products.adapters.sqs.dead_letters import NOT_SUPPORTED, SqsDeadLetters
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import DependencyUnavailable
from products.pipeline import Pipeline
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import PlanState
from products.redrive import DeadLetter, NoSuchQueue, Redrive
from tasks.products import relay
from tasks.queues import dlq_name
from tests.plugin import ENV
from tests.support.admin_client import LIST, last_message, sign_in
from tests.support.builders import fields, origin
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.processes import until
from tests.support.world import World

OLGA = origin("olga")
CHANGE, AUDIT = f"bbws-product-change-{ENV}", f"bbws-product-audit-{ENV}"


@pytest.fixture
def redrive(world: World) -> Redrive:
    return maintenance.redrive()


def send_to_dead_letters(world: World, task: str, **arguments: Any) -> None:
    """Send a task message and move it to the dead-letter queue, as SQS does after failures."""
    app.send_task(f"products.{task}", kwargs=arguments, headers={"request_id": "r1"})
    queue = app.conf.task_routes[f"products.{task}"]["queue"]
    url = world.queue_url(queue)
    (message,) = world.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    world.sqs.send_message(
        QueueUrl=world.queue_url(dlq_name(queue, "test")),
        MessageBody=message["Body"],
        MessageAttributes={"trace": {"DataType": "String", "StringValue": "t1"}},
    )
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def three_letters(world: World, acceptance: Acceptance, pipeline: Pipeline, ann: Origin) -> None:
    """The letters of p1 v1, which is stored; of p2 v1, which is not; and of the audit of p1."""
    for number in (1, 2):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    deliver(pipeline.store, "p1", 1)
    world.empty_queues()
    for number in (1, 2):
        send_to_dead_letters(world, "persist", product_id=f"p{number}", version=1)
    send_to_dead_letters(world, "audit", product_id="p1", version=1)


def dead_count(world: World, queue: str) -> int:
    return world.depth(dlq_name(queue, "test"))


def test_a_dry_run_lists_letters_and_moves_none(world: World, three_letters: None) -> None:
    for _ in range(2):
        assert output("redrive", dry_run=True).splitlines() == [
            f"{CHANGE}: 2 dead letters",
            "  persist p1 v1",
            "  persist p2 v1",
            f"bbws-product-cache-{ENV}: 0 dead letters",
            f"bbws-product-search-{ENV}: 0 dead letters",
            f"{AUDIT}: 1 dead letters",
            "  audit p1 v1",
        ]
    assert output("redrive", CHANGE, dry_run=True, limit=1).splitlines()[1:] == ["  persist p1 v1"]
    assert (dead_count(world, CHANGE), dead_count(world, AUDIT), world.depth(CHANGE)) == (2, 1, 0)


def test_letters_go_back_unchanged_and_are_processed(
    world: World, three_letters: None, catalogue: Catalogue
) -> None:
    assert output("redrive", CHANGE) == f"{CHANGE}: 2 sent back"
    assert (dead_count(world, CHANGE), dead_count(world, AUDIT), world.depth(CHANGE)) == (0, 1, 2)
    response = world.sqs.receive_message(
        QueueUrl=world.queue_url(CHANGE), MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    (message,) = response["Messages"]
    assert message["MessageAttributes"]["trace"]["StringValue"] == "t1"
    assert world.headers(message)["request_id"] == "r1"
    world.work()
    assert world.record("p2")


def test_without_a_name_all_queues_are_redriven_up_to_the_limit(
    world: World, three_letters: None
) -> None:
    assert output("redrive", limit=1).splitlines() == [
        f"{CHANGE}: 1 sent back",
        f"bbws-product-cache-{ENV}: 0 sent back",
        f"bbws-product-search-{ENV}: 0 sent back",
        f"{AUDIT}: 1 sent back",
    ]
    assert (dead_count(world, CHANGE), dead_count(world, AUDIT)) == (1, 0)
    with pytest.raises(
        CommandError, match=f"There is no queue 'x'; there are bbws-product-change-{ENV},"
    ):
        output("redrive", "x")
    with pytest.raises(CommandError, match="1 or more"):
        output("redrive", limit=0)


def test_only_letters_that_are_done_are_dropped(
    world: World, three_letters: None, pipeline: Pipeline, redrive: Redrive
) -> None:
    # The first has other effects open, and the second names an unknown change.
    assert not redrive.is_done(DeadLetter(task="persist", product_id="p1", version=1))
    assert not redrive.is_done(DeadLetter(task="audit", product_id="p9", version=1))
    assert not redrive.is_done(DeadLetter())
    assert redrive.is_done(DeadLetter(task="relay"))
    deliver(pipeline.audit, "p1", 1)
    assert "  audit p1 v1  (done)" in output("redrive", AUDIT, dry_run=True)
    assert output("redrive", AUDIT, drop_done=True) == f"{AUDIT}: 0 sent back, 1 dropped as done"
    assert output("redrive", CHANGE, drop_done=True) == f"{CHANGE}: 2 sent back"
    assert (dead_count(world, AUDIT), world.depth(AUDIT), world.depth(CHANGE)) == (0, 0, 2)


def due_plan(ann: Origin) -> str:
    """Make a plan that is due now, and return its ID."""
    draft = Draft(
        name="Sale",
        rows=[DraftRow(product_id="p1", edits={"price": "80"})],
        starts_at=None,
        ends_at=None,
        zone="UTC",
    )
    return scheduling.plans().create(draft, ann).plan.plan_id


@pytest.mark.parametrize("is_dropped", [False, True])
def test_letter_of_a_plan_is_redriven_or_dropped_safely(
    world: World, acceptance: Acceptance, catalogue: Catalogue, ann: Origin, is_dropped: bool
) -> None:
    acceptance.create("p1", fields(price="100"), ann)
    plan_id = due_plan(ann)
    world.empty_queues()
    send_to_dead_letters(world, "switch")
    listed = output("redrive", CHANGE, dry_run=True)
    assert "  switch: make the steps of plans that are due  (done)" in listed
    if is_dropped:
        assert output("redrive", CHANGE, drop_done=True).endswith("0 sent back, 1 dropped as done")
        relay()  # announces the plan, which is still due
    else:
        assert output("redrive", CHANGE) == f"{CHANGE}: 1 sent back"

    def is_made() -> bool:
        world.work()
        return scheduling.plans().plan(plan_id).state is PlanState.ENDED

    until(is_made)
    assert catalogue.newest("p1").price == 80
    send_to_dead_letters(world, "switch")
    output("redrive", CHANGE)
    world.work()
    assert catalogue.newest("p1").version == 2


def test_the_letter_of_a_job_is_done_when_the_job_has_ended(
    redrive: Redrive, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    rows = [planned_row(1, catalogue.newest("p1"), {"price": "8"})]
    job = bootstrap.jobs().plan(JobKind.BULK, "Price 8", rows, ann)
    bootstrap.jobs().start(job.job_id, ann)
    assert not redrive.is_done(DeadLetter(task="job", job_id=job.job_id))
    bootstrap.jobs().cancel(job.job_id, ann)
    assert redrive.is_done(DeadLetter(task="job", job_id=job.job_id))


def test_an_unreadable_message_is_listed_and_sent_back_unchanged(
    world: World, redrive: Redrive
) -> None:
    bodies = ["not json", '{"headers": {}}', "[]"]
    url = world.queue_url(dlq_name(CHANGE, "test"))
    for body in bodies:
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    assert output("redrive", CHANGE, dry_run=True).count("a message that can't be read") == 3
    assert str(redrive.move_back(CHANGE, OLGA)) == f"{CHANGE}: 3 sent back"
    assert [message["Body"] for message in world.messages("products.persist")] == bodies


# Faults of SQS


@dataclass
class SqsWithOneOperationReplaced:
    """An SQS client with one operation that raises an error or, without one, only records."""

    client: Any
    operation: str
    error: str = ""
    status: int = 400
    moved: tuple[str, str] | None = None

    def __getattr__(self, name: str) -> Any:
        return self._replaced if name == self.operation else getattr(self.client, name)

    def _replaced(self, **arguments: str) -> None:
        if self.error:
            response: Any = {
                "Error": {"Code": self.error},
                "ResponseMetadata": {"HTTPStatusCode": self.status},
            }
            raise ClientError(response, self.operation)
        self.moved = (arguments["SourceArn"], arguments["DestinationArn"])


def replace_operation(
    redrive: Redrive, operation: str, error: str = "", status: int = 400
) -> tuple[Redrive, SqsWithOneOperationReplaced]:
    letters: Any = redrive.letters
    client = SqsWithOneOperationReplaced(letters.client, operation, error, status)
    return replace(redrive, letters=SqsDeadLetters(client, letters.urls)), client


@pytest.mark.parametrize("operation", ["send_message", "delete_message"])
def test_a_failure_between_the_two_queues_loses_no_letter(
    world: World, three_letters: None, redrive: Redrive, operation: str
) -> None:
    """A letter is sent before it is deleted, so after a failure it may be in both queues."""
    failing, _ = replace_operation(redrive, operation, "InternalError", 500)
    with pytest.raises(DependencyUnavailable):
        failing.move_back(AUDIT, OLGA)
    assert dead_count(world, AUDIT) == 1
    assert world.depth(AUDIT) == (1 if operation == "delete_message" else 0)


@pytest.mark.parametrize("error", sorted(NOT_SUPPORTED))
def test_letters_are_sent_singly_where_sqs_can_not_move_them(
    world: World, three_letters: None, redrive: Redrive, error: str
) -> None:
    status = 501 if error == "NotImplemented" else 400
    limited, _ = replace_operation(redrive, "start_message_move_task", error, status)
    assert limited.move_back(AUDIT, OLGA).moved == 1


def test_sqs_moves_the_letters_where_it_can(
    world: World, three_letters: None, redrive: Redrive
) -> None:
    """The embedded engine can't, so the recorded request is compared with SQS's documentation."""
    moving, client = replace_operation(redrive, "start_message_move_task")
    assert str(moving.move_back(CHANGE, OLGA)) == f"{CHANGE}: 2 being moved back by SQS"
    assert client.moved
    queues = [arn.rpartition(":")[2] for arn in client.moved]
    assert queues == [dlq_name(CHANGE, "test"), CHANGE]
    client.moved = None
    # SQS moves all letters or none, so a limit is kept by sending them singly.
    assert moving.move_back(CHANGE, OLGA, limit=1).moved == 1
    assert client.moved is None
    for error, status in (("AccessDenied", 403), ("InternalError", 500)):
        failing, _ = replace_operation(redrive, "start_message_move_task", error, status)
        with pytest.raises(DependencyUnavailable):
            failing.move_back(CHANGE, OLGA)


def test_a_redrive_is_logged_as_an_action(
    world: World, three_letters: None, redrive: Redrive
) -> None:
    redrive.move_back(CHANGE, OLGA)
    redrive.move_back(f"bbws-product-cache-{ENV}", OLGA)  # an empty queue, which is not logged
    (action,) = bootstrap.operations().log.actions(bootstrap.now(), 10)
    assert (action.by, action.what) == ("olga", f"redrove dead letters of {CHANGE}: 2 sent back")
    assert list(action.changes) == ["persist p1 v1", "persist p2 v1"]
    assert len(world.audit_records("operations/")) == 1


@pytest.mark.django_db
def test_an_operator_redrives_in_the_admin(world: World, three_letters: None) -> None:
    olga, page = sign_in("olga", "Product operators"), f"{LIST}operations/"
    assert f"Retry the failed messages of {CHANGE}" in olga.get(page).text
    response = olga.post(f"{page}redrive/", {"queue": CHANGE})
    assert last_message(response) == f"{CHANGE}: 2 messages are retried."
    response = olga.post(f"{page}redrive/", {"queue": "x"})
    assert "There is no queue" in last_message(response)
    viewer = sign_in("vera", "Product viewers")
    assert viewer.post(f"{page}redrive/", {"queue": CHANGE}).status_code == 403
    assert dead_count(world, AUDIT) == 1


def test_an_unknown_queue_is_refused(redrive: Redrive) -> None:
    with pytest.raises(NoSuchQueue):
        redrive.move_back("nowhere", OLGA)
