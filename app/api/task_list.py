"""The list of tasks, and their number by status."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.tasks import ListedTask
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, ScopeField, reading, reading_shared
from app.services import services
from app.tasks.below import below, failed_below
from app.tasks.fold import STARTED, STATUSES, SUCCESS
from app.tasks.listing import Listing, list_tasks, status_counts
from app.tasks.observed.part import LONGEST_TYPE
from app.tasks.task_types import task_types

blp = Blueprint("task_list", __name__, description="Lists of tasks")


class CountQuery(ma.Schema):
    job_type = ma.fields.String(validate=ma.validate.Length(1, LONGEST_TYPE))
    parent_id = ma.fields.UUID()
    q = ma.fields.String(
        validate=ma.validate.Length(1, 200),
        metadata={"description": "A text in title or job type, or the beginning of the id; case is ignored"},
    )
    scope = ScopeField()


class TaskQuery(PageQuery, CountQuery):
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class FailureBelow(ma.Schema):
    task_id = ma.fields.String()
    title = ma.fields.String()
    job_type = ma.fields.String()
    message = ma.fields.String()


class Below(ma.Schema):
    tasks = ma.fields.Integer()
    open = ma.fields.Integer(metadata={"description": "Those that have not ended"})
    failed = ma.fields.Integer()
    failures = ma.fields.List(
        ma.fields.Nested(FailureBelow), metadata={"description": "The newest three of those that failed"}
    )
    complete = ma.fields.Boolean(metadata={"description": "1,000 are counted: false when there are more"})


class PhaseShare(ma.Schema):
    phase_id = ma.fields.String()
    weight = ma.fields.Float(metadata={"description": "Of the whole run; all of them are 1"})


class ListRow(ListedTask):  # type: ignore[misc, valid-type]  # made from a dict
    plan = ma.fields.List(
        ma.fields.Nested(PhaseShare),
        allow_none=True,
        metadata={"description": "The shares of its phases; null of a run that succeeded"},
    )
    failed_below = ma.fields.Integer(
        metadata={
            "description": "How many of the first 100 tasks below it failed; 0 unless it runs or succeeded"
        }
    )


class TaskPage(ma.Schema):
    tasks = ma.fields.List(ma.fields.Nested(ListRow))
    next = ma.fields.String(allow_none=True)
    below = ma.fields.Nested(
        Below,
        metadata={
            "description": "All tasks below `parent_id`, at any depth; on the first page of its children"
        },
    )


class StatusCounts(ma.Schema):
    counts = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        metadata={"description": "The number of tasks by status; every status is present"},
    )
    sequence = ma.fields.Integer(metadata={"description": "As of this sequence of the caller's own stream"})
    complete = ma.fields.Boolean(
        metadata={
            "description": "With a filter the newest 5,000 tasks are counted: false when there are more"
        }
    )


class TypeQuery(ma.Schema):
    scope = ScopeField()


class TaskTypes(ma.Schema):
    job_types = ma.fields.List(ma.fields.String())


@blp.get("/tasks")
@reading_shared
@blp.arguments(TaskQuery, location="query")
# Not dumped by marshmallow, which takes 6 ms for 200 rows: the rows have exactly the fields of the schema.
@blp.alt_response(200, schema=TaskPage)
def tasks(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the caller's tasks, newest first; with `scope=tenant` all tasks of the tenant. Parameters and results are
    in the snapshot only. A share token names `parent_id`, a task of its run. A page may be short, even empty, and still
    have `next`: it ends after a megabyte, and for a filter without an index one request reads 5,000 tasks."""
    before, wanted = position_of(query, utc, UUID), listing_of(principal, query)
    whose = {"user_id": wanted.user_id, "tenant": wanted.tenant}
    found: dict[str, Any] = {}
    with services().read() as conn, conn.cursor() as cur:
        page = list_tasks(cur, wanted, before, query["limit"])
        if wanted.parent_id and before is None:
            found["below"] = below(cur, wanted.parent_id, whose)
        # The others are not shown as if all went well.
        fine = [task["task_id"] for task in page.tasks if task["status"] in (STARTED, SUCCESS)]
        failed = failed_below(cur, fine, whose)
    for task in page.tasks:
        task["failed_below"] = failed.get(task["task_id"], 0)
    return page_response("tasks", page.tasks, page.next, **found)


@blp.get("/tasks/counts")
@reading
@blp.arguments(CountQuery, location="query")
@blp.response(200, StatusCounts)
def counts(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns the number of tasks of the list by status. Without a filter, a client updates the numbers of its own
    tasks by the `task_created` and `status_changed` events after `sequence` on the caller's stream."""
    with services().read() as conn, conn.cursor() as cur:
        found, sequence, complete = status_counts(
            cur, listing_of(principal, query), permissions.own_stream(principal)
        )
    return {"counts": dict.fromkeys(STATUSES, 0) | found, "sequence": sequence, "complete": complete}


@blp.get("/tasks/types")
@reading
@blp.arguments(TypeQuery, location="query")
@blp.response(200, TaskTypes)
def types(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns the job types that the tasks of the list have, 200 at most: also those of observed tasks, which no worker
    declares."""
    with services().read() as conn, conn.cursor() as cur:
        return {"job_types": task_types(cur, permissions.scope_filter(principal, query["scope"]))}


def listing_of(principal: Principal, query: dict[str, Any]) -> Listing:
    """Returns what a query of the list asks for. Raises Forbidden and NotFound."""
    parent_id = str(query["parent_id"]) if "parent_id" in query else None
    return Listing(
        **permissions.list_filter(principal, query["scope"], parent_id),
        status=query.get("status"),
        job_type=query.get("job_type"),
        parent_id=parent_id,
        q=query.get("q"),
    )
