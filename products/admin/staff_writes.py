"""What staff write: the only way from the admin to the use cases that write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

from products.admin.base import user_of
from products.admin.recent_saves import remember_save
from products.authority import ACCOUNT
from products.bootstrap import (
    acceptance,
    clashes,
    imports,
    jobs,
    new_id,
    operations,
    synonym_editing,
)
from products.bulk.clashes import Decisions, Side
from products.bulk.imports import ImportOptions
from products.bulk.job import Job, JobKind
from products.bulk.rows import Row
from products.changes import Effect, Origin
from products.idempotency import IdempotencyKey
from products.maintenance import redrive
from products.permissions import permissions_among
from products.plans.drafts import Draft, Preview
from products.plans.plan import Plan
from products.product import RULES
from products.redrive import RedriveResult
from products.scheduling import plans
from products.search.editing import SavedSynonyms
from products.writes import Accepted


@dataclass(frozen=True, slots=True)
class StaffWrites:
    """The writes of one request: it knows who makes them, from where and why.

    Each write of a product is remembered in the session, so that the next list shows it. The
    methods raise what the use case of the same name raises.
    """

    request: HttpRequest

    def origin(self, reason: str = "") -> Origin:
        """Return who writes with this request, from where and why."""
        return Origin(
            actor=self.actor,
            source="admin",
            request_id=getattr(self.request, "request_id", None) or new_id(),
            reason=reason,
            permissions=permissions_among(user_of(self.request).get_all_permissions()),
            authority=ACCOUNT,
        )

    @property
    def actor(self) -> str:
        return self.request.user.get_username()

    # Products

    def create(
        self,
        product_id: str | None,
        edits: Mapping[str, object],
        *,
        reason: str = "",
        dry_run: bool = False,
    ) -> Accepted:
        accepted = acceptance().create(product_id, edits, self.origin(reason), dry_run=dry_run)
        return accepted if dry_run else self._remember(accepted)

    def update(
        self,
        product_id: str,
        edits: Mapping[str, object],
        *,
        base: int | None = None,
        reason: str = "",
        dry_run: bool = False,
    ) -> Accepted:
        accepted = acceptance().update(
            product_id, edits, self.origin(reason), base=base, dry_run=dry_run
        )
        return accepted if dry_run else self._remember(accepted)

    def validate_upload(self, product_id: str, key: str | None) -> None:
        """Raise what setting this image would raise, before it is uploaded."""
        before_upload = replace(acceptance(), image_exists=lambda _: True)
        before_upload.update(product_id, {"image": key}, self.origin(), dry_run=True)

    def deactivate(self, product_id: str, *, expected_version: int | None = None) -> Accepted:
        return self._remember(
            acceptance().deactivate(product_id, self.origin(), expected_version=expected_version)
        )

    def restore(self, product_id: str) -> Accepted:
        return self._remember(acceptance().restore(product_id, self.origin()))

    def restore_version(
        self,
        product_id: str,
        version: int,
        *,
        fields: Iterable[str] = tuple(RULES),
        expected_version: int | None = None,
        reason: str = "",
    ) -> Accepted:
        return self._remember(
            acceptance().restore_version(
                product_id,
                version,
                self.origin(reason),
                fields=fields,
                expected_version=expected_version,
            )
        )

    def undo(self, product_id: str, version: int) -> Accepted:
        origin = self.origin(f"Undo of version {version}")
        return self._remember(acceptance().undo(product_id, version, origin))

    def _remember(self, accepted: Accepted) -> Accepted:
        remember_save(self.request, accepted.product.product_id)
        return accepted

    # Jobs

    def plan_job(self, kind: JobKind, title: str, rows: Iterable[Row], *, reason: str) -> Job:
        return jobs().plan(kind, title, rows, self.origin(reason))

    def plan_import(
        self, data: bytes, options: ImportOptions, *, file_name: str, reason: str
    ) -> Job:
        return imports().plan(data, options, self.origin(reason), file_name=file_name)

    def decide_clash(self, job_id: str, number: int, decisions: Decisions) -> Row:
        return clashes().decide(job_id, number, decisions, self.origin())

    def decide_all_clashes(self, job_id: str, side: Side) -> Job:
        return clashes().decide_all(job_id, side, self.origin())

    def choose_row(self, job_id: str, number: int, *, is_included: bool) -> Row:
        return clashes().choose(job_id, number, self.origin(), is_included=is_included)

    def start_job(self, job_id: str) -> Job:
        return jobs().start(job_id, self.origin())

    def cancel_job(self, job_id: str) -> Job:
        return jobs().cancel(job_id, self.origin())

    def discard_job(self, job_id: str) -> Job:
        return jobs().discard(job_id, self.origin())

    def undo_job(self, job_id: str) -> Job:
        return jobs().undo(job_id, self.origin())

    # Plans

    def create_plan(
        self, draft: Draft, *, key: IdempotencyKey | None = None, dry_run: bool = False
    ) -> Preview:
        origin = replace(self.origin(), idempotency_key=key)
        return plans().create(draft, origin, dry_run=dry_run)

    def change_plan(self, plan_id: str, facts: Mapping[str, Any], *, version: int) -> Plan:
        return plans().change(plan_id, facts, self.origin(), expected_version=version)

    def end_plan(self, plan_id: str, *, version: int | None) -> Plan:
        return plans().end_now(plan_id, self.origin(), expected_version=version)

    def cancel_plan(self, plan_id: str, *, version: int | None) -> Plan:
        return plans().cancel(plan_id, self.origin(), expected_version=version)

    def undo_plan(self, plan_id: str) -> Plan:
        return plans().undo(plan_id, self.origin())

    # Operations

    def retry(self, product_id: str, version: int, effect: Effect) -> None:
        operations().retry(product_id, version, effect, self.origin())

    def retry_cause(self, cause: str) -> int:
        return operations().retry_cause(cause, self.origin())

    def discard(self, product_id: str, version: int, effect: Effect, *, reason: str) -> None:
        operations().discard(product_id, version, effect, self.origin(), reason=reason)

    def redrive(self, queue: str, *, max_one_by_one: int) -> RedriveResult:
        return redrive().move_back(queue, self.origin(), max_one_by_one=max_one_by_one)

    # The search

    def save_synonyms(self, text: str, *, based_on: int) -> SavedSynonyms:
        origin = self.origin()
        return synonym_editing().save(
            text, based_on=based_on, actor=origin.actor, permissions=origin.permissions
        )
