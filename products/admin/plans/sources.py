"""What a plan that is being made is about: a product's edited form, or the rows of a job."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy, ngettext

from products.admin.base import product_url
from products.admin.error_pages import PageNotFound
from products.admin.formatting import counted
from products.admin.sentences.finding import refusal_text
from products.bootstrap import jobs
from products.bulk.job import Job, JobKind, JobNotFound, JobState
from products.bulk.rows import Row, RowState
from products.changes import Change
from products.errors import Invalid
from products.plans.drafts import DraftRow
from products.product import RULES

NO_SOURCE = gettext_lazy(
    "A plan begins with what it changes: save a product for later, or give a bulk edit or an "
    "import a time."
)
MAX_ENTRIES = 20_000  # characters of the edits of one product


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a plan to be made.

    ``hidden`` are the entries by which the next request names the same rows. ``notes`` say what
    can't be planned.
    """

    rows: Sequence[DraftRow]
    hidden: Mapping[str, str]
    title: str
    back_url: str
    notes: Sequence[str] = ()
    job: Job | None = None
    names: Mapping[str, str] | None = None

    def name_of(self, product_id: str) -> str:
        return (self.names or {}).get(product_id, product_id)


def source_of(request: HttpRequest) -> Source:
    """Return what the request plans. Raise PageNotFound when it names nothing to plan."""
    sent = request.POST or request.GET
    if job_id := sent.get("job", ""):
        return _without(_job_source(job_id), sent.get("left_out", ""))
    if "edits" in sent:
        product_id = sent.get("product", "")
        name = sent.get("product_name", "") or product_id
        return _product_source(product_id, name, sent["edits"])
    raise PageNotFound(str(NO_SOURCE))


def changed_fields(change: Change) -> dict[str, Any]:
    """Return the fields of a product that a form changed, as they can be sent again.

    A price note that is derived changes with the prices, and is not among them.
    """
    before, after = change.before, change.after
    names = [name for name in RULES if getattr(before, name) != getattr(after, name)]
    return {name: _sendable(getattr(after, name)) for name in names}


def form_source(change: Change) -> Source:
    """Return the source of a product's form that was edited."""
    return _product_source(change.product_id, change.after.name, json.dumps(changed_fields(change)))


def _sendable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _product_source(product_id: str, name: str, text: str) -> Source:
    try:
        edits = json.loads(text[:MAX_ENTRIES])
    except ValueError:
        edits = None
    if not isinstance(edits, dict) or not product_id:
        raise PageNotFound(str(NO_SOURCE))
    return Source(
        rows=[DraftRow(product_id=product_id, edits=edits)],
        hidden={"product": product_id, "product_name": name, "edits": text},
        title=name,
        back_url=product_url("change", product_id),
        names={product_id: name},
    )


def _job_source(job_id: str) -> Source:
    try:
        job = jobs().job(job_id)
    except JobNotFound as error:
        raise PageNotFound(refusal_text(error)) from error
    if job.state is not JobState.PLANNED:
        raise Invalid({"job": [gettext("This job can't be planned any more.")]})
    rows = [row for row in jobs().rows(job) if row.state == RowState.WAITING]
    planned = [row for row in rows if row.product_id and not row.creates]
    return Source(
        rows=[DraftRow(product_id=str(row.product_id), edits=_edits(row)) for row in planned],
        hidden={"job": job.job_id},
        title=job.title,
        back_url="",
        notes=_notes(job, new=len(rows) - len(planned)),
        job=job,
        names={str(row.product_id): row.name for row in planned},
    )


def _edits(row: Row) -> dict[str, Any]:
    """Return the entries of a row that change something; a sheet also has all others."""
    return {name: value for name, value in row.edits.items() if name in row.changed}


def _notes(job: Job, *, new: int) -> list[str]:
    """Return what happens to the rows that are not planned."""
    of_import = gettext("When the plan is saved, the import itself is discarded.")
    of_edit = gettext("When the plan is saved, the bulk edit itself is discarded.")
    notes = [of_import if job.kind == JobKind.CSV else of_edit]
    if new:
        text = ngettext(
            "{count} row adds a product. A plan can't add products, so it is left out.",
            "{count} rows add products. A plan can't add products, so they are left out.",
            new,
        )
        notes.append(text.format(count=new))
    undecided = job.counts.get(RowState.CLASH, 0)
    if undecided:
        text = ngettext(
            "{count} row is not decided, and left out.",
            "{count} rows are not decided, and left out.",
            undecided,
        )
        notes.append(text.format(count=undecided))
    return notes


def _without(source: Source, text: str) -> Source:
    """Return the source without the products that the user left out."""
    left_out = {name for name in text.split(",") if name}
    kept = [row for row in source.rows if row.product_id not in left_out]
    gone = len(source.rows) - len(kept)
    if not gone:
        return source
    left_out_text = gettext("You left out {products} that can't be planned.")
    return Source(
        rows=kept,
        hidden={**source.hidden, "left_out": text},
        title=source.title,
        back_url=source.back_url,
        notes=[*source.notes, left_out_text.format(products=counted(gone))],
        job=source.job,
        names=source.names,
    )
