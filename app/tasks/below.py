"""What is below a task in the tree, at any depth: how many tasks, and which of them failed.

The end of a child changes nothing of an observed parent, which may have succeeded before its child begins. So whoever
looks at the parent has to be told of failures below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.tasks.endings import error_text

MOST = 1_000  # tasks below one that are counted
NAMED = 3  # failures that are named, the newest first
_TEXT_LIMIT = 200  # characters of an error's type and message

# The condition of the tasks that a caller sees: of the named user or tenant; of all where neither is named.
VISIBLE = "(%(all)s OR user_id = %(user_id)s OR tenant = %(tenant)s)"

# Literal: recursive, and it stops at its limit. UNION visits no task twice, for reporters may have made a circle.
_BELOW = f"""WITH RECURSIVE below (id) AS (
        SELECT id FROM tasks WHERE parent_id = %(parent_id)s
        UNION SELECT tasks.id FROM below JOIN tasks ON tasks.parent_id = below.id),
    found AS MATERIALIZED (
        SELECT tasks.id, title, job_type, finished_at, error, status = 'FAILURE' AS failed
        FROM (SELECT id FROM below LIMIT {MOST} + 1) AS first JOIN tasks USING (id)
        WHERE {VISIBLE})
    SELECT count(*), count(*) FILTER (WHERE finished_at IS NULL), count(*) FILTER (WHERE failed),
        (SELECT json_agg(newest) FROM (
            SELECT id AS task_id, title, job_type, left(error ->> 'type', {_TEXT_LIMIT}) AS type,
                left(error ->> 'message', {_TEXT_LIMIT}) AS message
            FROM found WHERE failed ORDER BY finished_at DESC, id LIMIT {NAMED}) AS newest)
    FROM found"""


LOOKED_AT = 100  # tasks below one of a list that are counted
_NUMBERS = f"""SELECT listed.id::text, found.* FROM unnest(%(ids)s::uuid[]) AS listed (id), LATERAL (
        WITH RECURSIVE below (id) AS (
            SELECT id FROM tasks WHERE parent_id = listed.id
            UNION SELECT tasks.id FROM below JOIN tasks ON tasks.parent_id = below.id)
        SELECT count(*) AS tasks, count(*) FILTER (WHERE status = 'FAILURE'), count(*) FILTER (WHERE status = 'WAITING')
        FROM (SELECT id FROM below LIMIT {LOOKED_AT}) AS first JOIN tasks USING (id) WHERE {VISIBLE}) AS found
    WHERE found.tasks > 0"""


class NumbersBelow(NamedTuple):
    """Of the tasks below one, as many as are looked at."""

    tasks: int
    failed: int
    waiting: int


NOTHING = NumbersBelow(0, 0, 0)


def numbers_below(cur: Cursor, task_ids: Sequence[str], whose: Mapping[str, Any]) -> dict[str, NumbersBelow]:
    """Returns how many tasks are below each of these that has any. ``whose`` as in ``below``."""
    if not task_ids:
        return {}
    cur.execute(_NUMBERS, visible(whose) | {"ids": list(task_ids)})
    return {task_id: NumbersBelow(*numbers) for task_id, *numbers in cur}


def visible(whose: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of the condition ``VISIBLE``."""
    user_id, tenant = whose.get("user_id"), whose.get("tenant")
    return {"all": user_id is None and tenant is None, "user_id": user_id, "tenant": tenant}


def below(cur: Cursor, parent_id: str, whose: Mapping[str, Any]) -> dict[str, Any]:
    """Returns {tasks, open, failed, failures, complete} of the tasks below. ``whose`` may name the ``user_id`` and the
    ``tenant`` whose tasks alone count. ``complete`` is false when there are more than are counted."""
    cur.execute(_BELOW, visible(whose) | {"parent_id": parent_id})
    tasks, is_open, failed, failures = cur.fetchall()[0]
    return {
        "tasks": tasks,
        "open": is_open,
        "failed": failed,
        "failures": [
            {name: failure[name] for name in ("task_id", "title", "job_type")}
            | {"message": error_text(failure)}
            for failure in failures or ()
        ],
        "complete": tasks <= MOST,
    }
