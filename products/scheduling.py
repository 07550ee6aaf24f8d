"""The wiring of plans: their use cases, and the making of their steps when they are due.

It builds on ``bootstrap`` and is separate from it. What makes plans and their steps is imported
where it is built: a function that only reads products needs the calendar alone.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from django.conf import settings

from products.adapters.dynamodb.plans import DynamoPlanTable
from products.bootstrap import (
    acceptance,
    catalogue,
    cdn,
    doorbell,
    dynamodb,
    jobs,
    new_id,
    now,
    pipeline,
    sleep,
    table,
)
from products.parallel import MapFunction, context_map
from products.permissions import Permission
from products.plans.calendar import SwitchCalendar
from products.plans.plan import Plan

if TYPE_CHECKING:
    from products.plans.cache_purge import CachePurge
    from products.plans.creation import PlanCreation
    from products.plans.future import FutureCatalogue
    from products.plans.logs import ProductLogs
    from products.plans.plans import Plans
    from products.plans.switching import Switching

ROWS_TOGETHER = 25
TURN_SECONDS = 2.5
"""A function may start a step with five seconds left; its last rows and notes need the others."""
READ_THREADS = 8  # read the logs of the products of a plan
STEP_THREADS = 8  # store the plans whose steps begin or end
APPEND_THREADS = 4  # append the transactions of steps that are due at the same time


@cache
def switch_calendar() -> SwitchCalendar:
    return SwitchCalendar(_plan_table(), now)


@cache
def plans() -> "Plans":
    from products.plans.announcing import Announcer
    from products.plans.plans import Plans

    return Plans(
        table=_plan_table(),
        logs=_logs(),
        names=table(),
        announcer=Announcer(doorbell(), now, settings.ENABLE_CLOUDFRONT),
        clock=now,
        new_id=new_id,
    )


@cache
def plan_creation() -> "PlanCreation":
    from products.plans.creation import PlanCreation

    return PlanCreation(plans(), catalogue(), jobs())


@cache
def future() -> "FutureCatalogue":
    from products.plans.future import FutureCatalogue

    return FutureCatalogue(catalogue(), plans())


@cache
def switching() -> "Switching":
    from products.plans.switching import Switching
    from products.plans.transactions import Transactions
    from products.plans.turns import Turn

    # The process that appends rows stores them too, as with those of jobs: they wait for no
    # message.
    storing_doorbell = jobs().acceptance.doorbell
    return Switching(
        table=_plan_table(),
        transactions=Transactions(
            log=table(),
            logs=_logs(),
            planner=acceptance().planner,
            doorbell=storing_doorbell,
            map_function=_map_in_threads("append", APPEND_THREADS),
        ),
        doorbell=doorbell(),
        permissions_of=_permissions_of,
        clock=now,
        sleep=sleep,
        process_id=new_id(),
        turn=None if settings.CELERY else Turn(ROWS_TOGETHER, timedelta(seconds=TURN_SECONDS)),
        map_function=_map_in_threads("step", STEP_THREADS),
    )


@cache
def cache_purge() -> "CachePurge":
    from products.plans.cache_purge import CachePurge

    return CachePurge(
        table=table(), cdn=cdn(), doorbell=doorbell(), clock=now, pace=pipeline().pace
    )


def _permissions_of(plan: Plan) -> frozenset[Permission]:
    """Return which of the permissions that the plan needs its owner has now.

    A process that can't know them, such as a function on Lambda, takes those of the plan's making.
    """
    held = jobs().authorities.permissions_of(plan.owner, plan.authority)
    return plan.permissions if held is None else plan.permissions & held


@cache
def _plan_table() -> DynamoPlanTable:
    threads = _map_in_threads("plan", READ_THREADS)
    return DynamoPlanTable(dynamodb(), settings.PRODUCTS_TABLE, threads)


@cache
def _logs() -> "ProductLogs":
    from products.plans.logs import ProductLogs

    return ProductLogs(table(), _plan_table(), _map_in_threads("log", READ_THREADS))


@cache
def _map_in_threads(name: str, count: int) -> MapFunction:
    return partial(context_map, ThreadPoolExecutor(count, name))
