"""The list of tasks, and how many of them have which status."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.tasks import ListedTask
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import (
    Blueprint,
    ScopeField,
    WholeField,
    decode_cursor,
    encode_cursor,
    signed_in,
    utc,
    with_next,
)
from app.services import services
from app.tasks.fold import STATUSES
from app.tasks.listing import Listing, list_tasks, status_counts

blp = Blueprint("task_list", __name__, description="Lists of tasks")


class CountQuery(ma.Schema):
    job_type = ma.fields.String(validate=ma.validate.Length(1, 64))
    parent_id = ma.fields.UUID()
    q = ma.fields.String(
        validate=ma.validate.Length(1, 200),
        metadata={"description": "A text in title or job type, or the beginning of the id; case is ignored"},
    )
    scope = ScopeField()


class TaskQuery(CountQuery):
    limit = WholeField(load_default=50, validate=ma.validate.Range(1, 200))
    cursor = ma.fields.String(validate=ma.validate.Length(1, 200))
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class TaskPage(ma.Schema):
    tasks = ma.fields.List(ma.fields.Nested(ListedTask))
    next = ma.fields.String(allow_none=True)


class StatusCounts(ma.Schema):
    counts = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"description": "By status, each one"}
    )
    sequence = ma.fields.Integer(metadata={"description": "As of this sequence of the caller's own stream"})
    complete = ma.fields.Boolean(
        metadata={
            "description": "With a filter the newest 5,000 tasks are counted: false when there are more"
        }
    )


@blp.get("/tasks")
@signed_in
@blp.arguments(TaskQuery, location="query")
@blp.alt_response(
    200, schema=TaskPage
)  # not dumped: rows are made of the fields of the schema, and 200 take 6 ms
def tasks(principal: Principal, query: dict[str, Any]) -> Any:
    """The caller's tasks, newest first; with `scope=tenant` those of the whole tenant. Without their parameters and
    results, which the snapshot has. A page may be short, even empty, and `next` says where to go on: it ends after a
    megabyte, and one request looks at 5,000 tasks for what a filter without an index wants."""
    before = decode_cursor(query["cursor"], utc, UUID) if "cursor" in query else None
    wanted = _wanted(principal, query)
    with services().read() as conn, conn.cursor() as cur:
        page = list_tasks(cur, wanted, before, query["limit"])
    cursor = encode_cursor(*page.next) if page.next else None
    return with_next({"tasks": page.tasks, "next": cursor}, {"cursor": cursor} if cursor else None)


@blp.get("/tasks/counts")
@signed_in
@blp.arguments(CountQuery, location="query")
@blp.response(200, StatusCounts)
def counts(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """How many tasks of the list have which status. One's own, unfiltered, are kept right by the `task_created` and
    `status_changed` events that follow `sequence` on the caller's stream."""
    with services().read() as conn, conn.cursor() as cur:
        found, sequence, complete = status_counts(
            cur, _wanted(principal, query), permissions.own_stream(principal)
        )
    return {"counts": dict.fromkeys(STATUSES, 0) | found, "sequence": sequence, "complete": complete}


def _wanted(principal: Principal, query: dict[str, Any]) -> Listing:
    return Listing(
        **permissions.scope_filter(principal, query["scope"]),
        status=query.get("status"),
        job_type=query.get("job_type"),
        parent_id=str(query["parent_id"]) if "parent_id" in query else None,
        q=query.get("q"),
    )
