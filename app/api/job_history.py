"""The history of tasks: durations, counts and triggers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of, utc
from app.auth import permissions
from app.auth.principal import Principal
from app.db.clock import seconds_between
from app.http.base import Blueprint, ScopeField, TimeField, reading
from app.services import services
from app.tasks.fold import STATUSES
from app.tasks.list_filter import Listing
from app.tasks.listing import list_tasks, phase_counts
from app.tasks.observed.part import LONGEST_TYPE

blp = Blueprint("history", __name__, description="History")


class HistoryQuery(PageQuery):
    job_type = ma.fields.String(
        validate=ma.validate.Length(1, LONGEST_TYPE), metadata={"description": "A job type or a trigger"}
    )
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    since = TimeField(data_key="from")
    until = TimeField(data_key="to")
    scope = ScopeField(with_all=True)


class Counts(ma.Schema):
    phases = ma.fields.Integer()
    processed = ma.fields.Integer()
    errors = ma.fields.Integer()


class HistoryRow(ma.Schema):
    task_id = ma.fields.String()
    job_type = ma.fields.String()
    title = ma.fields.String()
    trigger = ma.fields.String()
    status = ma.fields.String()
    created_at = ma.fields.String()
    started_at = ma.fields.String(allow_none=True)
    finished_at = ma.fields.String(allow_none=True)
    duration_seconds = ma.fields.Float(allow_none=True)
    retry_count = ma.fields.Integer()
    retry_of = ma.fields.String(allow_none=True)
    error = ma.fields.Raw(allow_none=True)
    counts = ma.fields.Nested(Counts)


class HistoryPage(ma.Schema):
    jobs = ma.fields.List(ma.fields.Nested(HistoryRow))
    next = ma.fields.String(allow_none=True)


@blp.get("/jobs/history")
@reading
@blp.arguments(HistoryQuery, location="query")
@blp.response(200, HistoryPage)
def history(principal: Principal, query: dict[str, Any]) -> Any:
    wanted = Listing(
        **permissions.scope_filter(principal, query["scope"]),
        status=query.get("status"),
        kind=query.get("job_type"),
        since=query.get("since"),
        until=query.get("until"),
    )
    with services().read() as conn, conn.cursor() as cur:
        page = list_tasks(cur, wanted, position_of(query, utc, UUID), query["limit"])
        counts = phase_counts(cur, [task["task_id"] for task in page.tasks])
    none = {"phases": 0, "processed": 0, "errors": 0}
    rows = [
        task | {"duration_seconds": _duration(task), "counts": counts.get(task["task_id"], none)}
        for task in page.tasks
    ]
    return page_response("jobs", rows, page.next)


def _duration(task: dict[str, Any]) -> float | None:
    """Returns the seconds from the first start to the end; None when the task lacks one of these times."""
    if not (task["started_at"] and task["finished_at"]):
        return None
    return seconds_between(task["started_at"], task["finished_at"])
