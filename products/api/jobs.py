"""The views of jobs: their progress and rows, and to decide, start, cancel and undo them."""

from collections.abc import Callable

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.cursors import cursor_of, position_of
from products.api.job_origin import origin_of
from products.api.job_representation import job_body, job_response, row_body
from products.api.json_schema import choice_of
from products.api.parameters import (
    DEFAULT_LIMIT,
    PAGE_PARAMETERS,
    Parameter,
    Parameters,
    read_parameters,
)
from products.api.product_fields import CORE_NAMES
from products.api.write_responses import PRIVATE, body_of
from products.bootstrap import clashes, jobs
from products.bulk.clashes import Side
from products.bulk.job import Job
from products.bulk.rows import Row, RowState
from products.errors import Invalid

MAX_CHUNKS_READ = 50  # for one page of rows in one state
JOBS_PARAMETERS: Parameters = {"limit": PAGE_PARAMETERS["limit"]}


def _row_state(text: str) -> RowState:
    if text not in list(RowState):
        raise ValueError(f"Must be one of {', '.join(RowState)}.")
    return RowState(text)


ROWS_PARAMETERS: Parameters = {
    "startAt": PAGE_PARAMETERS["startAt"],
    "state": Parameter(
        "state", _row_state, choice_of(RowState), "Only rows in this state.", str(RowState.WAITING)
    ),
}


class JobList(APIView):
    """List jobs."""

    staff_only = True

    def get(self, request: Request) -> Response:
        """Return the newest bulk edits, imports and undos, the newest first."""
        limit = read_parameters(request.query_params, JOBS_PARAMETERS).get("limit", DEFAULT_LIMIT)
        listed = [job_body(job) for job in jobs().newest(limit)]
        body = {"jobs": listed, "count": len(listed)}
        return Response(body, headers={"Cache-Control": PRIVATE})


class JobDetail(APIView):
    """Read a job."""

    staff_only = True

    def get(self, request: Request, job_id: str) -> Response:
        """Return a job with its progress."""
        read_parameters(request.query_params, {})
        return job_response(jobs().job(job_id), status.HTTP_200_OK)


class JobRows(APIView):
    """Read the rows of a job."""

    staff_only = True

    def get(self, request: Request, job_id: str) -> Response:
        """Return one page of the rows, with what each changes and why it does not."""
        values = read_parameters(request.query_params, ROWS_PARAMETERS)
        state, cursor = values.get("state"), values.get("after")
        query = f"{job_id} {state}"
        chunk = 0 if cursor is None else int(position_of(cursor, query))
        job = jobs().job(job_id)
        rows, end = _page_of_rows(job, chunk, state)
        has_more = end < job.chunks
        body = {
            "rows": [row_body(row) for row in rows],
            "count": len(rows),
            "moreAvailable": has_more,
            "nextStartAt": cursor_of(query, str(end)) if has_more else None,
        }
        return Response(body, headers={"Cache-Control": PRIVATE})


def _page_of_rows(job: Job, chunk: int, state: RowState | None) -> tuple[list[Row], int]:
    """Return the rows of the next chunk that has any in this state, and the chunk after it."""
    for position in range(chunk, min(job.chunks, chunk + MAX_CHUNKS_READ)):
        rows = [
            row for row in jobs().chunk_rows(job, position) if state is None or row.state == state
        ]
        if rows:
            return rows, position + 1
    return [], min(job.chunks, chunk + MAX_CHUNKS_READ)


class _JobAction(APIView):
    """Base class of the actions on a job."""

    def act(self, request: Request, job_id: str, act: Callable[..., Job], code: int) -> Response:
        """Act on the job, and return it."""
        read_parameters(request.query_params, {})
        return job_response(act(job_id, origin_of(request)), code)


class JobStart(_JobAction):
    """Start a job."""

    def post(self, request: Request, job_id: str) -> Response:
        """Start a planned job. Only the user who planned it may."""
        return self.act(request, job_id, jobs().start, status.HTTP_202_ACCEPTED)


class JobCancel(_JobAction):
    """Cancel a job."""

    def post(self, request: Request, job_id: str) -> Response:
        """End a running job and keep what it has written."""
        return self.act(request, job_id, jobs().cancel, status.HTTP_200_OK)


class JobUndo(_JobAction):
    """Undo a job."""

    def post(self, request: Request, job_id: str) -> Response:
        """Plan a job that undoes this one, except where somebody has saved since."""
        return self.act(request, job_id, jobs().undo, status.HTTP_201_CREATED)


class JobDecisions(APIView):
    """Decide all conflicts of a job."""

    def post(self, request: Request, job_id: str) -> Response:
        """Keep the file's values (mine) or those of others (theirs) in all rows in conflict."""
        read_parameters(request.query_params, {})
        body = body_of(request)
        if body.keys() != {"side"}:
            raise Invalid({"side": ["Must be the only field, and mine or theirs."]})
        side = _side("side", body["side"])
        job = clashes().decide_all(job_id, side, origin_of(request))
        return job_response(job, status.HTTP_200_OK)


class RowDecisions(APIView):
    """Decide the conflicts of one row."""

    def post(self, request: Request, job_id: str, number: int) -> Response:
        """Keep the file's value (mine) or that of others (theirs) in each field in conflict."""
        read_parameters(request.query_params, {})
        decisions = {
            CORE_NAMES.get(name, name): _side(name, side) for name, side in body_of(request).items()
        }
        row = clashes().decide(job_id, number, decisions, origin_of(request))
        return Response(row_body(row), headers={"Cache-Control": PRIVATE})


def _side(name: str, value: object) -> Side:
    if value not in list(Side):
        raise Invalid({name: [f"Must be one of {', '.join(Side)}."]})
    return Side(str(value))
