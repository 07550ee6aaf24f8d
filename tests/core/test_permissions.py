"""Which role may use which use case: one table, which no face repeats."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.access.groups import GROUPS
from products.bulk.job import Job, JobKind, NotYourJob
from products.bulk.rows import Row, RowState, planned_row
from products.changes import Effect, Origin
from products.errors import NotAllowed
from products.permissions import ALL_PERMISSIONS, Permission, needed_permissions
from products.writes import Write, WritesRefused
from tests.plugin import ENV
from tests.support.builders import fields, origin
from tests.support.fakes import FakeDoorbell
from tests.support.world import World

pytestmark = pytest.mark.engines

ROLES = {
    group: frozenset(Permission(f"products.{verb}_product") for verb in verbs)
    for group, verbs in GROUPS.items()
}
VIEWERS, EDITORS, ADMINS, OPERATORS = (
    "Product viewers",
    "Product editors",
    "Product admins",
    "Product operators",
)
WRITERS = {EDITORS, ADMINS}


@dataclass(frozen=True)
class Case:
    """One caller, with a product that is active and one that is not."""

    acceptance: Acceptance
    who: Origin
    active: str
    inactive: str

    @property
    def trusted(self) -> Origin:
        """The same caller with all permissions."""
        return replace(self.who, permissions=ALL_PERMISSIONS)

    def plan(self, *rows: Row) -> Job:
        """Return a job that the trusted caller planned."""
        return bootstrap.jobs().plan(JobKind.BULK, "Job", rows, self.trusted)

    def row(self, product_id: str, **edits: object) -> Row:
        return planned_row(1, bootstrap.catalogue().newest(product_id), edits)

    def creation(self) -> Row:
        name = f"{self.active} new"
        return Row(number=1, product_id=None, name=name, edits=fields(name=name), creates=True)

    def ended_job(self, row: Row) -> Job:
        """Return a job that has written this row."""
        job = self.plan(row)
        bootstrap.jobs().start(job.job_id, self.trusted)
        bootstrap.jobs().work(job.job_id)
        return job

    def is_refused_row(self, row: Row) -> bool:
        """Whether planning with the caller's permissions refuses the row."""
        job = bootstrap.jobs().plan(JobKind.CSV, "Job", [row], self.who)
        [planned] = bootstrap.jobs().rows(job)
        return planned.state is RowState.REFUSED


def _create(case: Case) -> object:
    return case.acceptance.create(None, fields(name=f"{case.active} new"), case.who)


def _create_inactive(case: Case) -> object:
    edits = fields(name=f"{case.active} new", active=False)
    return case.acceptance.create(None, edits, case.who)


def _update(case: Case, product_id: str, **edits: object) -> object:
    return case.acceptance.update(product_id, edits, case.who)


def _write_all(case: Case, *writes: Write) -> None:
    try:
        case.acceptance.write_all(writes, case.who)
    except WritesRefused as refused:
        raise next(iter(refused.refusals.values())) from None


def _write_each(case: Case, *writes: Write) -> None:
    for result in case.acceptance.write_each(writes, case.who):
        if isinstance(result, Exception):
            raise result


def _plan_row(case: Case, row: Row) -> None:
    if case.is_refused_row(row):
        raise NotAllowed([])


def _start(case: Case, row: Row) -> object:
    return bootstrap.jobs().start(case.plan(row).job_id, case.who)


def _cancel(case: Case) -> object:
    job = case.plan(case.row(case.active, price="2"))
    bootstrap.jobs().start(job.job_id, case.trusted)
    return bootstrap.jobs().cancel(job.job_id, case.who)


def _undo_job(case: Case, row: Row) -> object:
    return bootstrap.jobs().undo(case.ended_job(row).job_id, case.who)


def _deactivation(product_id: str) -> Write:
    return Write(product_id=product_id, edits={"active": False})


def _discard(case: Case) -> None:
    bootstrap.operations().discard(
        case.active, 1, Effect.SEARCHABLE, case.who, reason="Nobody searches"
    )


TABLE: dict[str, tuple[Callable[[Case], object], set[str]]] = {
    "create": (_create, WRITERS),
    "create an inactive product": (_create_inactive, WRITERS),
    "edit": (lambda case: _update(case, case.active, price="2"), WRITERS),
    "edit without a difference": (lambda case: _update(case, case.active), WRITERS),
    "deactivate": (lambda case: case.acceptance.deactivate(case.active, case.who), {ADMINS}),
    "set active to false": (lambda case: _update(case, case.active, active=False), {ADMINS}),
    "edit and deactivate": (
        lambda case: _update(case, case.active, price="2", active=False),
        {ADMINS},
    ),
    "deactivate in a dry run": (
        lambda case: case.acceptance.deactivate(case.active, case.who, dry_run=True),
        {ADMINS},
    ),
    "restore": (lambda case: case.acceptance.restore(case.inactive, case.who), WRITERS),
    "restore a version": (
        lambda case: case.acceptance.restore_version(case.active, 1, case.who),
        WRITERS,
    ),
    "restore an inactive version": (
        lambda case: case.acceptance.restore_version(case.active, 2, case.who),
        {ADMINS},
    ),
    "restore one field of an inactive version": (
        lambda case: case.acceptance.restore_version(case.active, 2, case.who, fields=["name"]),
        WRITERS,
    ),
    "undo an edit": (lambda case: case.acceptance.undo(case.active, 4, case.who), WRITERS),
    "undo a creation": (lambda case: case.acceptance.undo(case.active, 1, case.who), {ADMINS}),
    "undo a restore": (lambda case: case.acceptance.undo(case.active, 3, case.who), {ADMINS}),
    "undo a deactivation": (lambda case: case.acceptance.undo(case.inactive, 2, case.who), WRITERS),
    "batch each": (
        lambda case: _write_each(case, Write(product_id=case.active, edits={"price": "2"})),
        WRITERS,
    ),
    "batch each, deactivate": (
        lambda case: _write_each(case, _deactivation(case.active)),
        {ADMINS},
    ),
    "batch all": (
        lambda case: _write_all(case, Write(product_id=case.active, edits={"price": "2"})),
        WRITERS,
    ),
    "batch all, deactivate": (lambda case: _write_all(case, _deactivation(case.active)), {ADMINS}),
    "plan a row that creates": (lambda case: _plan_row(case, case.creation()), WRITERS),
    "plan a row that edits": (
        lambda case: _plan_row(case, case.row(case.active, price="2")),
        WRITERS,
    ),
    "plan a row that deactivates": (
        lambda case: _plan_row(case, case.row(case.active, active=False)),
        {ADMINS},
    ),
    "start a job that creates": (lambda case: _start(case, case.creation()), WRITERS),
    "start a job that edits": (
        lambda case: _start(case, case.row(case.active, price="2")),
        WRITERS,
    ),
    "start a job that deactivates": (
        lambda case: _start(case, case.row(case.active, active=False)),
        {ADMINS},
    ),
    "cancel a job": (_cancel, WRITERS),
    "undo a job that edited": (
        lambda case: _undo_job(case, case.row(case.active, price="2")),
        WRITERS,
    ),
    "undo a job that created": (lambda case: _undo_job(case, case.creation()), {ADMINS}),
    "undo a job that restored": (
        lambda case: _undo_job(case, case.row(case.inactive, active=True)),
        {ADMINS},
    ),
    "retry an effect": (
        lambda case: bootstrap.operations().retry(case.active, 1, Effect.STORED, case.who),
        {ADMINS, OPERATORS},
    ),
    "retry all effects of a cause": (
        lambda case: bootstrap.operations().retry_cause("stored: none", case.who),
        {ADMINS, OPERATORS},
    ),
    "discard an effect": (_discard, {ADMINS, OPERATORS}),
    "redrive dead letters": (
        lambda case: maintenance.redrive().move_back(f"bbws-product-audit-{ENV}", case.who),
        {ADMINS, OPERATORS},
    ),
}
"""The use cases, and the roles that may use each."""


def new_case(acceptance: Acceptance, role: str) -> Case:
    """Create the products of one caller. The active one was deactivated and restored before."""
    number = list(ROLES).index(role)
    active, inactive = f"active-{number}", f"inactive-{number}"
    ann = origin("ann")
    acceptance.create(active, fields(name=active), ann)
    acceptance.deactivate(active, ann)
    acceptance.restore(active, ann)
    acceptance.update(active, {"price": "3"}, ann)
    acceptance.create(inactive, fields(name=inactive), ann)
    acceptance.deactivate(inactive, ann)
    who = replace(origin("eve"), permissions=ROLES[role])
    return Case(acceptance, who, active, inactive)


@pytest.mark.parametrize("name", TABLE)
def test_each_role_may_use_what_the_table_says(name: str, world: World) -> None:
    use, wanted = TABLE[name]
    acceptance = bootstrap.acceptance()
    allowed: set[str] = set()
    for role in ROLES:
        case = new_case(acceptance, role)
        versions = _versions(case)
        try:
            use(case)
        except NotAllowed:
            if not name.startswith("undo a job"):  # that job has written before
                assert _versions(case) == versions, "a refused write leaves no trace"
        else:
            allowed.add(role)
    assert allowed == wanted


def _versions(case: Case) -> list[int]:
    return [bootstrap.catalogue().newest(id_).version for id_ in (case.active, case.inactive)]


def test_the_default_caller_may_do_nothing(world: World) -> None:
    stranger = Origin(actor="eve", source="test", request_id="r")
    with pytest.raises(NotAllowed, match=r"This requires the permission products\.add_product\."):
        bootstrap.acceptance().create(None, fields(), stranger)


def test_only_the_planner_of_a_job_may_start_it(world: World) -> None:
    case = new_case(bootstrap.acceptance(), ADMINS)
    job = case.plan(case.row(case.active, price="2"))
    with pytest.raises(NotYourJob, match="Only eve, who planned this job"):
        bootstrap.jobs().start(job.job_id, origin("somebody-else"))


def test_a_job_writes_with_no_more_permissions_than_its_rows_need(world: World) -> None:
    """An edit that was planned as such can't take a product out of the catalogue."""
    case = new_case(bootstrap.acceptance(), ADMINS)
    job = case.plan(case.row(case.active, price="2"))
    assert job.permissions == {Permission.CHANGE}
    [row] = bootstrap.jobs().rows(job)
    forged = replace(row, edits={"active": False})
    table = bootstrap.jobs().table
    table.put_job(job, [forged])
    bootstrap.jobs().start(job.job_id, origin("eve"))
    bootstrap.jobs().work(job.job_id)
    [written] = bootstrap.jobs().rows(job)
    assert (written.state, bootstrap.catalogue().newest(case.active).active) == ("refused", True)
    assert "products.delete_product" in written.message


def test_a_batch_refuses_single_items(world: World) -> None:
    case = new_case(bootstrap.acceptance(), EDITORS)
    edit = Write(product_id=case.active, edits={"price": "2"})
    edited, refused = case.acceptance.write_each([edit, _deactivation(case.active)], case.who)
    assert not isinstance(edited, Exception)
    assert isinstance(refused, NotAllowed)
    restored = Write(product_id=case.inactive, edits={"active": True})
    versions = _versions(case)
    with pytest.raises(WritesRefused) as refusal:
        case.acceptance.write_all([restored, _deactivation(case.active)], case.who)
    assert isinstance(refusal.value.refusals.pop(1), NotAllowed)
    assert (refusal.value.refusals, _versions(case)) == ({}, versions)


def test_needed_permissions_follow_from_the_fields() -> None:
    both = needed_permissions({"price": (1, 2), "active": (True, False)})
    assert both == {Permission.CHANGE, Permission.DELETE}
    assert needed_permissions({"active": (False, True)}) == {Permission.CHANGE}
    assert needed_permissions({}) == frozenset()
    assert needed_permissions({"name": (None, "x")}, creates=True) == {Permission.ADD}


def test_a_job_without_work_also_needs_a_permission_to_plan_it(world: World) -> None:
    case = new_case(bootstrap.acceptance(), VIEWERS)
    unchanged = case.row(case.active, price="3")
    assert unchanged.state is RowState.UNCHANGED
    with pytest.raises(NotAllowed):
        bootstrap.jobs().plan(JobKind.CSV, "Job", [unchanged], case.who)


def test_the_doorbell_is_silent_for_refused_writes(world: World) -> None:
    bell = FakeDoorbell()
    acceptance = replace(bootstrap.acceptance(), doorbell=bell)
    case = new_case(acceptance, VIEWERS)
    bell.take_all()
    with pytest.raises(NotAllowed):
        acceptance.deactivate(case.active, case.who)
    assert bell.take_all() == []
