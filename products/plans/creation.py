"""Making plans from what callers name: rows, a selection of products, or a planned job. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from products.bulk.job import Job, JobState, JobStateConflict, NotYourJob
from products.bulk.rows import Row, RowState
from products.changes import Origin
from products.errors import CatalogueError, Conflict, Invalid
from products.lists import ListQuery
from products.permissions import Permission, require_permissions
from products.plans.drafts import Draft, DraftRow, Preview, RowsRefused
from products.plans.plan import MAX_ROWS
from products.plans.plans import Plans
from products.product import Product

CREATES = "A plan can't create a product: create it inactive and plan its activation."


class ProductLists(Protocol):
    """Reads lists of products. May raise DependencyUnavailable."""

    def walk(self, listing: ListQuery, limit: int) -> Iterator[Product]:
        """Yield at most ``limit`` products of a staff list, read page by page."""


class PlannedJobs(Protocol):
    """The jobs that were planned and not started. Methods may raise DependencyUnavailable."""

    def job(self, job_id: str) -> Job:
        """Return the job. Raise JobNotFound when there is none."""

    def rows(self, job: Job) -> Iterator[Row]:
        """Yield all rows."""

    def discard(self, job_id: str, origin: Origin) -> Job:
        """Give up a planned job. Raises: NotAllowed, JobStateConflict when it is not planned."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Products of a list, and the row that each of them becomes. Its product ID does not count."""

    listing: ListQuery
    row: DraftRow


@dataclass(frozen=True, slots=True)
class PlanCreation:
    """Makes plans, or previews of them. Each use case raises what ``Plans.create`` raises."""

    plans: Plans
    products: ProductLists
    jobs: PlannedJobs

    def from_rows(self, draft: Draft, origin: Origin, *, dry_run: bool = False) -> Preview:
        """Make a plan of the draft's own rows."""
        return self.plans.create(draft, origin, dry_run=dry_run)

    def from_selection(
        self, draft: Draft, selection: Selection, origin: Origin, *, dry_run: bool = False
    ) -> Preview:
        """Make a plan of the products that are in the list now.

        A product without any of the prices that are to be adjusted is left out.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        if not dry_run and (made := self.plans.made_by_request(origin)):
            return made
        products = self.products.walk(selection.listing, MAX_ROWS + 1)
        rows = [
            replace(selection.row, product_id=product.product_id)
            for product in products
            if _has_field_to_change(product, selection.row)
        ]
        if not rows:
            raise Invalid({"select": ["No product is selected that this would change."]})
        return self.plans.create(replace(draft, rows=rows), origin, dry_run=dry_run)

    def from_job(
        self, draft: Draft, job_id: str, origin: Origin, *, dry_run: bool = False
    ) -> Preview:
        """Make a plan of the waiting rows of a planned job, which is discarded.

        The job is discarded first, so that its rows can't be written now and later.

        Raises: JobNotFound, NotYourJob, JobStateConflict when the job is not planned.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        if not dry_run and (made := self.plans.made_by_request(origin)):
            return made
        job = self._planned_job(job_id, origin)
        waiting = [row for row in self.jobs.rows(job) if row.state is RowState.WAITING]
        complete = replace(draft, rows=_draft_rows(waiting), reason=draft.reason or job.reason)
        preview = self.plans.prepare(complete, origin)
        if dry_run:
            return preview
        self.jobs.discard(job_id, origin)
        return self.plans.store(preview, origin)

    def _planned_job(self, job_id: str, origin: Origin) -> Job:
        job = self.jobs.job(job_id)
        if origin.actor != job.actor:
            raise NotYourJob(job.actor)
        if job.state is not JobState.PLANNED:
            raise JobStateConflict(f"The job is already {job.state}.")
        return job


def _has_field_to_change(product: Product, row: DraftRow) -> bool:
    if row.edits or row.adjustment is None:
        return True
    return any(getattr(product, name) is not None for name in row.adjusted_fields)


def _draft_rows(rows: Sequence[Row]) -> list[DraftRow]:
    """Return the rows of a job as those of a plan: only the fields that they change."""
    refusals: dict[int, CatalogueError] = {
        position: Conflict(CREATES)
        for position, row in enumerate(rows)
        if row.creates or row.product_id is None
    }
    if refusals:
        raise RowsRefused(refusals, list(_names(rows)))
    return [
        DraftRow(
            product_id=row.product_id or "",
            edits={name: value for name, value in row.edits.items() if name in row.changed},
            base=row.base,
        )
        for row in rows
    ]


def _names(rows: Iterable[Row]) -> Iterator[str]:
    return (row.product_id or row.name for row in rows)
