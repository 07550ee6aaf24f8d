"""Every answer by which a service says that it can't serve: the change waits, and is done later."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.sqs.task_messages import task_message
from products.changes import Effect, Origin
from products.invalidation import SETTLE_TIME
from tasks.aws_lambda import handler
from tasks.queues import MAX_RECEIVE_COUNT
from tasks.running import Delivery, read_deliveries, run_effects
from tests.aws.test_service_errors import PASSING
from tests.gameday.fault_proxy import PASS, Action, Proxy, Request, Respond
from tests.plugin import ENV
from tests.support.builders import fields
from tests.support.lambda_events import LambdaContext
from tests.support.processes import until
from tests.support.wiring import forget_wiring
from tests.support.world import World

XML = "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
S3_XML = "<Error><Code>{code}</Code><Message>no</Message></Error>"


@dataclass(frozen=True)
class Step:
    """A task, the effect it is about, and the calls that its service refuses."""

    task: str
    effect: Effect
    is_refused: Callable[[Request], bool]


STEPS = {
    "DynamoDB": Step(
        "products.persist", Effect.STORED, lambda request: request.operation == "PutItem"
    ),
    "S3": Step("products.audit", Effect.AUDITED, lambda request: request.method == "PUT"),
    "CloudFront": Step(
        "products.invalidate", Effect.PURGED, lambda request: "/invalidation" in request.path
    ),
}
CASES = [(service, code) for service in STEPS for code in PASSING[service]]


def answer_of(service: str, code: str) -> Respond:
    if service == "DynamoDB":
        return Respond(400, json.dumps({"__type": f"x#{code}", "message": "no"}).encode())
    form = S3_XML if service == "S3" else XML
    return Respond(400, form.format(code=code).encode())


@pytest.fixture
def proxy(world: World, monkeypatch: pytest.MonkeyPatch, engines: Any) -> Iterator[Proxy]:
    proxy = Proxy(engines.aws_url)
    for service in ("DYNAMODB", "S3", "CLOUDFRONT"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", proxy.url)
    forget_wiring()
    yield proxy
    proxy.close()
    forget_wiring()


def run_on_worker(body: str, count: int) -> bool:
    """Run a message as the worker does; return whether it is deleted."""
    delivery = Delivery(
        message_id="m", receipt_handle="h", body=body, receive_count=count, queue="q"
    )
    of_effects, _, invalid = read_deliveries([delivery])
    assert not invalid
    return not run_effects(of_effects)


def run_on_lambda(body: str, count: int) -> bool:
    """Run a message as a function does; return whether it is deleted."""
    record = {
        "messageId": "m",
        "receiptHandle": "h",
        "body": body,
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:bbws-product-change-{ENV}",
        "attributes": {"ApproximateReceiveCount": str(count)},
    }
    response = handler({"Records": [record]}, LambdaContext(10_000))
    return response == {"batchItemFailures": []}


@pytest.mark.parametrize("run", [run_on_worker, run_on_lambda])
@pytest.mark.parametrize(("service", "code"), CASES)
def test_a_change_waits_for_a_service_that_refuses(
    acceptance: Acceptance,
    proxy: Proxy,
    ann: Origin,
    settings: Any,
    service: str,
    code: str,
    run: Callable[[str, int], bool],
) -> None:
    settings.COMBINED_EFFECTS = frozenset()
    step = STEPS[service]
    acceptance.create("p1", fields(), ann)
    if step.effect is not Effect.STORED:
        assert bootstrap.pipeline().store([("p1", 1)]) == {}
    arguments = {"product_id": "p1", "version": 1}
    body = task_message("t", step.task, arguments, {"request_id": "r"}, queue="q")

    def fault(request: Request) -> Action:
        return answer_of(service, code) if step.is_refused(request) else PASS

    if step.effect is Effect.PURGED:
        settled_at = bootstrap.catalogue().receipt("p1", 1).done[Effect.STORED] + SETTLE_TIME
        until(lambda: bootstrap.now() > settled_at)
    proxy.fault = fault
    assert [run(body, count) for count in range(1, MAX_RECEIVE_COUNT + 1)] == [False, False, True]
    failure = bootstrap.catalogue().receipt("p1", 1).failures[step.effect]
    assert (failure.waiting_for, failure.permanent, failure.attempts) == (service, False, 3)
    proxy.fault = lambda request: PASS
    assert run(body, 1)
    assert bootstrap.catalogue().receipt("p1", 1).state(step.effect) == "done"
