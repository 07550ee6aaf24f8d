"""Dead letters go back to their queue: none is lost, whoever moves them, and what is done need not come back."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from celery import current_app
from django.core.management import CommandError

from products import bootstrap, maintenance
from products.adapters.sqs.dead_letters import NOT_SUPPORTED, SqsDeadLetters
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import DependencyUnavailable
from products.pipeline import Pipeline
from products.redrive import DeadLetter, NoSuchQueue, Redrive
from tasks.queues import dlq_name
from tests.support.admin_client import LIST, last_message, sign_in
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.world import World

CHANGE, AUDIT = "bbws-product-change-test", "bbws-product-audit-test"


@pytest.fixture
def desk(world: World) -> Redrive:
    return maintenance.redrive()


def die(world: World, task: str, **asked: Any) -> None:
    """The message a worker would have failed three times, where SQS then puts it."""
    current_app.send_task(f"products.{task}", kwargs=asked, headers={"request_id": "r1"})
    queue = current_app.conf.task_routes[f"products.{task}"]["queue"]
    url = world.queue_url(queue)
    (message,) = world.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    world.sqs.send_message(
        QueueUrl=world.queue_url(dlq_name(queue, "test")),
        MessageBody=message["Body"],
        MessageAttributes={"trace": {"DataType": "String", "StringValue": "t1"}},
    )
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def three(world: World, catalogue: Catalogue, pipeline: Pipeline, ann: Origin) -> None:
    """Dead: p1 v1, which is stored and has other effects open; p2 v1, which is not stored; and the audit of p1."""
    for number in (1, 2):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    pipeline.store("p1", 1)
    world.empty_queues()
    for number in (1, 2):
        die(world, "persist", product_id=f"p{number}", version=1)
    die(world, "audit", product_id="p1", version=1)


def dead(world: World, queue: str) -> int:
    return world.depth(dlq_name(queue, "test"))


def test_a_dry_run_names_them_and_leaves_them(world: World, three: None) -> None:
    for _ in range(2):
        assert output("redrive", dry_run=True).splitlines() == [
            f"{CHANGE}: 2 dead letters",
            "  persist p1 v1",
            "  persist p2 v1",
            "bbws-product-cache-test: 0 dead letters",
            "bbws-product-search-test: 0 dead letters",
            f"{AUDIT}: 1 dead letters",
            "  audit p1 v1",
        ]
    assert output("redrive", CHANGE, dry_run=True, limit=1).splitlines()[1:] == ["  persist p1 v1"]
    assert (dead(world, CHANGE), dead(world, AUDIT), world.depth(CHANGE)) == (2, 1, 0)


def test_they_go_back_whole_and_are_worked_on(
    world: World, three: None, catalogue: Catalogue
) -> None:
    assert output("redrive", CHANGE) == f"{CHANGE}: 2 sent back"
    assert (dead(world, CHANGE), dead(world, AUDIT), world.depth(CHANGE)) == (0, 1, 2)
    answer = world.sqs.receive_message(
        QueueUrl=world.queue_url(CHANGE), MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    (message,) = answer["Messages"]
    assert message["MessageAttributes"]["trace"]["StringValue"] == "t1"
    assert world.headers(message)["request_id"] == "r1"
    world.work()
    assert world.record("p2")


def test_all_queues_when_none_is_named_and_not_more_than_asked_for(
    world: World, three: None
) -> None:
    assert output("redrive", limit=1).splitlines() == [
        f"{CHANGE}: 1 sent back",
        "bbws-product-cache-test: 0 sent back",
        "bbws-product-search-test: 0 sent back",
        f"{AUDIT}: 1 sent back",
    ]
    assert (dead(world, CHANGE), dead(world, AUDIT)) == (1, 0)
    with pytest.raises(
        CommandError, match="There is no queue 'x'; there are bbws-product-change-test,"
    ):
        output("redrive", "x")
    with pytest.raises(CommandError, match="1 or more"):
        output("redrive", limit=0)


def test_what_is_done_is_dropped_when_asked_and_nothing_else(
    world: World, three: None, pipeline: Pipeline, desk: Redrive
) -> None:
    assert not desk.is_done(DeadLetter(task="persist", product_id="p1", version=1)), (
        "its other effects are open"
    )
    assert not desk.is_done(DeadLetter(task="audit", product_id="p9", version=1)), "who knows"
    assert not desk.is_done(DeadLetter())
    assert desk.is_done(DeadLetter(task="relay"))
    pipeline.audit("p1", 1)
    assert "  audit p1 v1  (done)" in output("redrive", AUDIT, dry_run=True)
    assert output("redrive", AUDIT, drop_done=True) == f"{AUDIT}: 0 sent back, 1 dropped as done"
    assert output("redrive", CHANGE, drop_done=True) == f"{CHANGE}: 2 sent back"
    assert (dead(world, AUDIT), world.depth(AUDIT), world.depth(CHANGE)) == (0, 0, 2)


def test_the_letter_of_a_job_is_done_when_the_job_is(
    desk: Redrive, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    rows = [planned_row(1, catalogue.newest("p1"), {"price": "8"})]
    job = bootstrap.jobs().plan(JobKind.BULK, "Price 8", rows, actor="ann")
    bootstrap.jobs().start(job.job_id)
    assert not desk.is_done(DeadLetter(task="job", job_id=job.job_id))
    bootstrap.jobs().cancel(job.job_id)
    assert desk.is_done(DeadLetter(task="job", job_id=job.job_id))


def test_a_message_nobody_can_read_is_shown_and_sent_back_as_it_is(
    world: World, desk: Redrive
) -> None:
    for body in ("not json", '{"headers": {}}', "[]"):
        world.sqs.send_message(QueueUrl=world.queue_url(dlq_name(CHANGE, "test")), MessageBody=body)
    assert output("redrive", CHANGE, dry_run=True).count("a message that can't be read") == 3
    assert str(desk.move_back(CHANGE, by="olga")) == f"{CHANGE}: 3 sent back"
    assert [m["Body"] for m in world.messages("products.persist")] == [
        "not json",
        '{"headers": {}}',
        "[]",
    ]


# When something fails


@dataclass
class Cut:
    """The SQS client, of which one operation fails: SQS is away, or offers less, or moves messages by itself."""

    client: Any
    operation: str
    error: str = ""
    status: int = 400
    moved: tuple[str, str] | None = None

    def __getattr__(self, name: str) -> Any:
        return self._cut if name == self.operation else getattr(self.client, name)

    def _cut(self, **arguments: str) -> None:
        if self.error:
            answer: Any = {
                "Error": {"Code": self.error},
                "ResponseMetadata": {"HTTPStatusCode": self.status},
            }
            raise ClientError(answer, self.operation)
        self.moved = (arguments["SourceArn"], arguments["DestinationArn"])


def cut(desk: Redrive, operation: str, error: str = "", status: int = 400) -> tuple[Redrive, Cut]:
    letters: Any = desk.letters
    client = Cut(letters.client, operation, error, status)
    return replace(desk, letters=SqsDeadLetters(client, letters.urls)), client


@pytest.mark.parametrize("operation", ["send_message", "delete_message"])
def test_a_letter_is_never_lost_between_the_two_queues(
    world: World, three: None, desk: Redrive, operation: str
) -> None:
    """Sent before it is deleted: when SQS goes away between the two, it is in both, which does no harm."""
    with pytest.raises(DependencyUnavailable):
        cut(desk, operation, "InternalError", 500)[0].move_back(AUDIT, by="olga")
    assert dead(world, AUDIT) == 1
    assert world.depth(AUDIT) == (1 if operation == "delete_message" else 0)


@pytest.mark.parametrize("error", sorted(NOT_SUPPORTED))
def test_where_sqs_does_not_move_them_by_itself_they_are_sent_one_by_one(
    world: World, three: None, desk: Redrive, error: str
) -> None:
    status = 501 if error == "NotImplemented" else 400
    assert (
        cut(desk, "start_message_move_task", error, status)[0].move_back(AUDIT, by="olga").moved
        == 1
    )


def test_where_sqs_moves_them_by_itself_it_is_asked_to(
    world: World, three: None, desk: Redrive
) -> None:
    """The embedded engine refuses; what is sent to one that does not is held to what SQS documents."""
    moving, client = cut(desk, "start_message_move_task")
    assert str(moving.move_back(CHANGE, by="olga")) == f"{CHANGE}: 2 being moved back by SQS"
    assert client.moved
    assert [arn.rpartition(":")[2] for arn in client.moved] == [dlq_name(CHANGE, "test"), CHANGE]
    client.moved = None
    assert moving.move_back(CHANGE, by="olga", limit=1).moved == 1, "it knows no limit"
    assert client.moved is None
    for error, status in (("AccessDenied", 403), ("InternalError", 500)):
        with pytest.raises(DependencyUnavailable):
            cut(desk, "start_message_move_task", error, status)[0].move_back(CHANGE, by="olga")


def test_it_is_in_the_log_of_what_was_done(world: World, three: None, desk: Redrive) -> None:
    desk.move_back(CHANGE, by="olga")
    desk.move_back("bbws-product-cache-test", by="olga")  # where there was nothing
    (action,) = bootstrap.operations().log.actions(bootstrap.now(), 10)
    assert (action.by, action.what) == ("olga", f"redrove dead letters of {CHANGE}: 2 sent back")
    assert list(action.changes) == ["persist p1 v1", "persist p2 v1"]
    assert len(world.audit_records("operations/")) == 1


@pytest.mark.django_db
def test_an_operator_sends_them_back_from_the_page(world: World, three: None) -> None:
    olga, page = sign_in("olga", "Product operators"), f"{LIST}operations/"
    assert "Send back" in olga.get(page).text
    assert (
        last_message(olga.post(f"{page}redrive/", {"queue": CHANGE})) == f"{CHANGE}: 2 sent back."
    )
    assert "There is no queue" in last_message(olga.post(f"{page}redrive/", {"queue": "x"}))
    assert (
        sign_in("vera", "Product viewers").post(f"{page}redrive/", {"queue": CHANGE}).status_code
        == 403
    )
    assert dead(world, AUDIT) == 1


def test_a_queue_that_is_not_there(desk: Redrive) -> None:
    with pytest.raises(NoSuchQueue):
        desk.move_back("nowhere", by="olga")
