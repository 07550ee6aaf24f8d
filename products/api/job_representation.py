"""The JSON forms of jobs and their rows, and their descriptions in the contract."""

from typing import Any

from django.urls import get_script_prefix
from rest_framework.response import Response

from products.api.json_schema import (
    BOOLEAN,
    NUMBER,
    TEXT,
    TIME,
    VERSION,
    Schema,
    choice_of,
    described,
    list_of,
    map_of,
    nullable,
    object_of,
    ref,
)
from products.api.json_types import JsonObject
from products.api.product_fields import API_NAMES
from products.api.representation import field_body
from products.api.write_responses import PRIVATE, RETRY_SECONDS
from products.bulk.clashes import Side
from products.bulk.job import Job, JobKind, JobState
from products.bulk.rows import Row, RowState
from products.documents import format_timestamp


def job_url(job: Job) -> str:
    """Return the path of a job."""
    return f"{get_script_prefix()}v1.0/jobs/{job.job_id}"


def job_body(job: Job) -> JsonObject:
    """Return a job with its progress."""
    return {
        "jobId": job.job_id,
        "kind": str(job.kind),
        "title": job.title,
        "state": str(job.state),
        "user": job.actor,
        "reason": job.reason or None,
        "createdAt": format_timestamp(job.created_at),
        "updatedAt": format_timestamp(job.updated_at),
        "rows": job.rows,
        "done": job.done,
        "counts": {str(state): job.counts.get(state, 0) for state in RowState},
        "notes": list(job.notes),
        "message": job.message or None,
        "undoOf": job.undo_of,
        "statusUrl": job_url(job),
    }


def job_response(job: Job, code: int) -> Response:
    """Return the response with a job; one that is under way is to be asked for again."""
    headers: dict[str, Any] = {"Cache-Control": PRIVATE, "Location": job_url(job)}
    if job.state in (JobState.PLANNING, JobState.RUNNING):
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Response(job_body(job), status=code, headers=headers)


def row_body(row: Row) -> JsonObject:
    """Return a row: what it changes, and why it does not."""
    return {
        "number": row.number,
        "line": row.line,
        "state": str(row.state),
        "productId": row.product_id,
        "name": row.name,
        "creates": row.creates,
        "changed": {
            API_NAMES[name]: {"before": field_body(name, before), "after": field_body(name, after)}
            for name, (before, after) in row.changed.items()
        },
        "conflicts": {
            API_NAMES[name]: {
                "base": field_body(name, clash.base),
                "yours": field_body(name, clash.yours),
                "theirs": field_body(name, clash.theirs),
            }
            for name, clash in row.clashes.items()
            if row.state == RowState.CLASH
        },
        "message": row.message or row.note,
        "version": row.version,
    }


_JOB: dict[str, Schema] = {
    "jobId": TEXT,
    "kind": ref("JobKindEnum"),
    "title": TEXT,
    "state": ref("JobStateEnum"),
    "user": TEXT,
    "reason": nullable(TEXT),
    "createdAt": TIME,
    "updatedAt": TIME,
    "rows": NUMBER,
    "done": described(
        NUMBER, "The rows that are not waiting; while the job is planned, the rows so far."
    ),
    "counts": described(map_of(NUMBER), "How many rows are in each state."),
    "notes": described(list_of(TEXT), "How the file was read, and what is left out."),
    "message": described(nullable(TEXT), "Why the job was stopped."),
    "undoOf": described(nullable(TEXT), "The job that this one undoes."),
    "statusUrl": TEXT,
}
_ROW: dict[str, Schema] = {
    "number": described(NUMBER, "The row's number in the job, from 1."),
    "line": described({"type": "integer", "nullable": True}, "The line of the file."),
    "state": ref("RowStateEnum"),
    "productId": described(nullable(TEXT), "Null for a new product whose ID will be made."),
    "name": TEXT,
    "creates": BOOLEAN,
    "changed": map_of(ref("Difference")),
    "conflicts": described(
        map_of(ref("Clash")), "Fields that somebody else changed too; decide about each."
    ),
    "message": described(TEXT, "Why the row is refused or skipped, or what is special about it."),
    "version": described(nullable(VERSION), "The version that the row has made."),
}
JOB_COMPONENTS: dict[str, Schema] = {
    "Job": object_of("A bulk edit or an import, with its progress.", _JOB),
    "JobPage": object_of("The newest jobs.", {"jobs": list_of(ref("Job")), "count": NUMBER}),
    "JobRow": object_of("One product of a job.", _ROW),
    "JobRows": object_of(
        "One page of the rows of a job.",
        {
            "rows": list_of(ref("JobRow")),
            "count": NUMBER,
            "moreAvailable": BOOLEAN,
            "nextStartAt": nullable(TEXT),
        },
    ),
    "RowDecisions": map_of(ref("SideEnum"))
    | {"description": "Whose value is kept, for each field in conflict."},
    "JobDecision": object_of(
        "Whose values are kept in all rows with a conflict.", {"side": ref("SideEnum")}
    ),
    "JobKindEnum": choice_of(JobKind),
    "JobStateEnum": choice_of(JobState),
    "RowStateEnum": choice_of(RowState),
    "SideEnum": choice_of(Side),
}
