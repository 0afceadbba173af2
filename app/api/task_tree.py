"""The tree of a task: the tasks below it, for an outline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.task_list import Below
from app.api.tasks import ListedTask
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, WholeField, reading_shared
from app.services import services
from app.tasks.below import below
from app.tasks.tree_page import STEPS, ahead_of, tree_page

blp = Blueprint("task_tree", __name__, description="Trees of tasks")

LONGEST = 100  # children of a page: all steps that an orchestration may have


class TreeQuery(PageQuery):
    limit = WholeField(load_default=LONGEST, validate=ma.validate.Range(1, LONGEST))
    failed = ma.fields.Boolean(
        load_default=False,
        truthy={"true", "1"},
        falsy={"false", "0"},
        metadata={"description": "Only the children that failed, with what is below them"},
    )


class Children(ma.Schema):
    tasks = ma.fields.Integer(metadata={"description": "201 when there are more than 200"})
    ended = ma.fields.Integer()
    failed = ma.fields.Integer()


class PlannedStep(ma.Schema):
    job_type = ma.fields.String()
    title = ma.fields.String(allow_none=True)


class AheadPart(ma.Schema):
    step = ma.fields.Integer(metadata={"description": "Parts of the same step begin together"})
    job_type = ma.fields.String()
    task_id = ma.fields.String(
        allow_none=True, metadata={"description": "The id that the first of them will have"}
    )
    count = ma.fields.Integer()
    chord = ma.fields.Boolean(metadata={"description": "It waits for all tasks that name the same"})


def _ahead() -> Any:
    words = "Of an observed task: what comes after it, as its reporter knows it before any of it is sent"
    return ma.fields.List(ma.fields.Nested(AheadPart), allow_none=True, metadata={"description": words})


class TreeRow(ListedTask):  # type: ignore[misc, valid-type]  # made from a dict
    step = ma.fields.Integer(allow_none=True, metadata={"description": "Which step of its parent, from 1"})
    approval = ma.fields.Dict(allow_none=True, metadata={"description": "What the task waits for"})
    waits = ma.fields.List(
        ma.fields.List(ma.fields.String(allow_none=True)),
        metadata={"description": "When it asked for each approval, and when that was decided"},
    )
    children = ma.fields.Nested(Children)
    steps = ma.fields.List(
        ma.fields.Nested(PlannedStep),
        allow_none=True,
        metadata={
            "description": "Of an orchestration: the steps that it was asked for, also those not begun"
        },
    )
    ahead = _ahead()


class TreePage(ma.Schema):
    tasks = ma.fields.List(
        ma.fields.Nested(TreeRow),
        metadata={"description": "The children, then those below them, level by level"},
    )
    next = ma.fields.String(allow_none=True)
    below = ma.fields.Nested(
        Below, metadata={"description": "All tasks below, at any depth; on the first page"}
    )
    ahead = _ahead()  # of the task itself, on the first page


@blp.get("/tasks/<uuid:task_id>/tree")
@reading_shared
@blp.arguments(TreeQuery, location="query")
# Not dumped by marshmallow, which takes 6 ms for 200 rows: the rows have exactly the fields of the schema.
@blp.alt_response(200, schema=TreePage)
def tree(principal: Principal, query: dict[str, Any], task_id: UUID) -> Any:
    """Returns the children of a task in the order of their steps, then the oldest first, and behind them those below:
    of each the first 20, up to 300 rows in all. Another page of the same parent, or the tree of a child, has the
    rest. The message of an error is cut, and its traceback left out."""
    name = permissions.readable_task(principal, str(task_id))
    after, whose = position_of(query, _step, utc, UUID), permissions.readable_filter(principal)
    found: dict[str, Any] = {}
    with services().read() as conn, conn.cursor() as cur:
        page = tree_page(cur, name, whose, after, query["limit"], query["failed"])
        if after is None:
            found |= {"below": below(cur, name, whose), "ahead": ahead_of(cur, name)}
    return page_response("tasks", page.rows, page.next, **found)


def _step(value: Any) -> int:
    """Returns the step of a cursor, 0 for none. Raises ValueError."""
    step = int(value)
    if not 0 <= step <= STEPS:
        raise ValueError(f"no step: {step}")
    return step
