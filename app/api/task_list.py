"""The list of tasks, and their number by status."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.tasks import ListedTask
from app.auth import accounts, permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, ScopeField, TimeField, reading, reading_shared
from app.services import services
from app.tasks.below import NOTHING, below, numbers_below
from app.tasks.fold import STARTED, STATUSES, SUCCESS
from app.tasks.list_counts import status_counts
from app.tasks.list_filter import Listing
from app.tasks.listing import MOST_ERROR_LINES, list_tasks, row_errors, row_phases
from app.tasks.observed.part import LONGEST_TYPE

blp = Blueprint("task_list", __name__, description="Lists of tasks")

_CONDITIONS = "status", "job_type", "since", "until", "q", "top", "errors", "min_seconds", "max_seconds"
_seconds = ma.validate.Range(0)


class SumQuery(ma.Schema):
    """What counts and histograms have of any number of tasks."""

    scope = ScopeField(
        with_all=True, metadata={"description": "`mine` is `own`; `all` is for an admin of all tenants"}
    )
    who = ma.fields.UUID(metadata={"description": "Only tasks of this user"})
    job_type = ma.fields.String(validate=ma.validate.Length(1, LONGEST_TYPE))
    since = TimeField(data_key="from", metadata={"description": "Made at this time or later"})
    until = TimeField(data_key="to", metadata={"description": "Made before"})
    top = ma.fields.Boolean(metadata={"description": "Without steps: they are below their parent"})


class CountQuery(SumQuery):
    parent_id = ma.fields.UUID()
    q = ma.fields.String(
        validate=ma.validate.Length(1, 200),
        metadata={"description": "A text in title or job type, or the beginning of the id; case is ignored"},
    )
    errors = ma.fields.Boolean(
        metadata={"description": "Only those that failed, or have errors in their log or of items"}
    )
    min_seconds = ma.fields.Float(
        validate=_seconds, metadata={"description": "Ended, and ran at least so long"}
    )
    max_seconds = ma.fields.Float(
        validate=_seconds, metadata={"description": "Ended, and ran at most so long"}
    )


class ListQuery(CountQuery):
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))


class TaskQuery(PageQuery, ListQuery):
    pass


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
    phases = ma.fields.List(
        ma.fields.Dict(),
        metadata={"description": "The first ones, without messages; none of a run that succeeded"},
    )
    failed_below = ma.fields.Integer(
        metadata={
            "description": "How many of the first 100 tasks below it failed; 0 unless it runs or succeeded"
        }
    )
    waiting_below = ma.fields.Integer(metadata={"description": "How many of these wait for approval"})
    tasks_below = ma.fields.Integer(metadata={"description": "How many there are, 100 at most"})
    error_count = ma.fields.Integer(
        metadata={"description": "How many items it could not do, by its phases, however it ended"}
    )
    error_lines = ma.fields.Integer(
        metadata={"description": f"How many lines of its log are errors, {MOST_ERROR_LINES} at most"}
    )
    owner = ma.fields.String(
        allow_none=True, metadata={"description": "Its user by e-mail; null where the caller may not know"}
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
        metadata={"description": "False when not all were counted: without sums the newest 5,000 tasks are"}
    )


@blp.get("/tasks")
@reading_shared
@blp.arguments(TaskQuery, location="query")
# Not dumped by marshmallow, which takes 6 ms for 200 rows: the rows have exactly the fields of the schema.
@blp.alt_response(200, schema=TaskPage)
def tasks(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the caller's tasks, newest first; with `scope=tenant` all tasks of the tenant. With `top=true` steps are
    left out: `parent_id` lists those of a task. Parameters and results are in the snapshot only. A share token names
    `parent_id`, a task of its run. A page may be short, even empty, and still have `next`: it ends after a megabyte,
    and for a filter without an index one request reads 5,000 tasks."""
    before, wanted = position_of(query, utc, UUID), listing_of(principal, query)
    whose = {"user_id": wanted.user_id, "tenant": wanted.tenant}
    found: dict[str, Any] = {}
    with services().read() as conn, conn.cursor() as cur:
        page = list_tasks(cur, wanted, before, query["limit"])
        if wanted.parent_id and before is None:
            found["below"] = below(cur, wanted.parent_id, whose)
        tasks_below = numbers_below(cur, [task["task_id"] for task in page.tasks], whose)
        phases = row_phases(cur, [task["task_id"] for task in page.tasks if task["status"] != SUCCESS])
        errors = row_errors(cur, [task["task_id"] for task in page.tasks])
        names = accounts.names_for(cur, principal, {task["user_id"] for task in page.tasks})
    for task in page.tasks:
        number = tasks_below.get(task["task_id"], NOTHING)
        # The others are not shown as if all went well.
        fine = task["status"] in (STARTED, SUCCESS)
        task |= {"failed_below": number.failed if fine else 0, "waiting_below": number.waiting}
        task |= {"phases": phases.get(task["task_id"], []), "tasks_below": number.tasks}
        task["error_count"], task["error_lines"] = errors.get(task["task_id"], (0, 0))
        task |= {"owner": names.get(task["user_id"])}
    return page_response("tasks", page.tasks, page.next, **found)


@blp.get("/tasks/counts")
@reading
@blp.arguments(CountQuery, location="query")
@blp.response(200, StatusCounts)
def counts(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """Returns the number of tasks of the list by status. Without a filter, a client updates the numbers of its own
    tasks by the `task_created` and `status_changed` events after `sequence` on the caller's stream. `who`, `job_type`,
    `top` and times of whole hours are counted by sums, however many tasks there are."""
    with services().read() as conn, conn.cursor() as cur:
        found, sequence, complete = status_counts(
            cur, listing_of(principal, query), permissions.own_stream(principal)
        )
    return {"counts": dict.fromkeys(STATUSES, 0) | found, "sequence": sequence, "complete": complete}


def listing_of(principal: Principal, query: dict[str, Any]) -> Listing:
    """Returns the list that a query with the fields of ``ListQuery``, or some of them, names. Raises Forbidden."""
    parent_id, who = (str(query[name]) if name in query else None for name in ("parent_id", "who"))
    whose = permissions.list_filter(principal, query["scope"], parent_id)
    conditions = {name: query[name] for name in _CONDITIONS if name in query}
    return Listing(**permissions.of_person(whose, who), parent_id=parent_id, **conditions)
