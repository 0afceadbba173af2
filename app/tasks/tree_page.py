"""A page of the tree of a task: its children, and what is below them, with what a row of the tree shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.jobs import ORCHESTRATE
from app.tasks.below import VISIBLE, visible
from app.tasks.projection import listed_columns, row_of

FIRST = 20  # children of a task below the children; another page has the rest
MOST = 300  # rows of a page, the deepest are left out first
COUNTED = 200  # children of a row that are counted
SHORT = 300  # characters of an error's message and of what a task says
STEPS = 100  # of an orchestration that are named
WAITS = 20  # of a row for approvals

_ORDER = "coalesce(step, 0), created_at, id"
_WORDS = f"left(tasks.current_phase_message, {SHORT})"
_ERROR = f"""CASE WHEN tasks.error IS NOT NULL THEN json_strip_nulls(json_build_object(
    'type', left(tasks.error ->> 'type', {SHORT}), 'message', left(tasks.error ->> 'message', {SHORT}),
    'phase', tasks.error ->> 'phase')) END"""
_APPROVAL = """CASE WHEN tasks.status = 'WAITING' THEN (
    SELECT json_build_object('key', key, 'title', title, 'risk_level', risk_level, 'estimated_cost', estimated_cost)
    FROM approvals WHERE task_id = tasks.id AND decided_at IS NULL ORDER BY asked_at DESC LIMIT 1) END"""
_WAITS = f"""(SELECT coalesce(json_agg(json_build_array(
        {TIME_TEXT.format("asked_at")}, {TIME_TEXT.format("decided_at")}) ORDER BY asked_at), '[]') FROM (
    SELECT asked_at, decided_at FROM approvals WHERE task_id = tasks.id ORDER BY asked_at LIMIT {WAITS}) AS asked)"""
_CHILDREN = f"""(SELECT json_build_object('tasks', count(*), 'ended', count(finished_at),
        'failed', count(*) FILTER (WHERE status = 'FAILURE'))
    FROM (SELECT finished_at, status FROM tasks AS child WHERE parent_id = tasks.id AND {VISIBLE} LIMIT {COUNTED} + 1)
        AS counted)"""
# What was reported may have any parameters.
_STEPS = f"""CASE WHEN tasks.job_type = '{ORCHESTRATE}' AND json_typeof(tasks.params -> 'steps') = 'array' THEN (
    SELECT json_agg(json_build_object(
        'job_type', left(asked ->> 'job_type', 64), 'title', left(asked ->> 'title', 255)))
    FROM (SELECT asked FROM json_array_elements(tasks.params -> 'steps') AS asked LIMIT {STEPS}) AS first) END"""
_WANTED = f"{VISIBLE} AND (NOT %(failed)s OR status = 'FAILURE')"
_PLACED = "parent_id = %(parent)s AND (coalesce(step, 0), created_at, id) > (%(step)s, %(at)s, %(id)s::uuid)"
# Literal: recursive, and it stops at its limit. UNION visits no task twice, for reporters may have made a circle.
_PAGE = f"""WITH RECURSIVE tree (id) AS (
        (SELECT id FROM tasks WHERE {{place}} AND {_WANTED} ORDER BY {_ORDER} LIMIT %(limit)s)
        UNION SELECT child.id FROM tree CROSS JOIN LATERAL (
            SELECT id FROM tasks WHERE parent_id = tree.id AND id <> %(parent)s AND {VISIBLE}
            ORDER BY {_ORDER} LIMIT {FIRST}) AS child),
    shown AS MATERIALIZED (SELECT id, row_number() OVER () AS number FROM (SELECT id FROM tree LIMIT {MOST}) AS first)
    SELECT step, {_APPROVAL}, {_WAITS}, {_CHILDREN}, {_STEPS}, ahead, streams.attempt,
        {listed_columns(current_phase_message=_WORDS, error=_ERROR)}
    FROM shown JOIN tasks USING (id) JOIN streams ON streams.id = tasks.stream_id ORDER BY number"""
_FIRST_PAGE, _NEXT_PAGE = _PAGE.format(place="parent_id = %(parent)s"), _PAGE.format(place=_PLACED)
_MORE = f"SELECT EXISTS (SELECT FROM tasks WHERE {_PLACED} AND {_WANTED})"


class TreePage(NamedTuple):
    """``next``: behind which child the next page begins (step, created_at, id)."""

    rows: list[dict[str, Any]]
    next: tuple[str, str, str] | None


def tree_page(
    cur: Cursor,
    parent_id: str,
    whose: Mapping[str, Any],
    after: Sequence[str] | None,
    limit: int,
    failed: bool = False,
) -> TreePage:
    """Returns the children of a task behind ``after`` (step, created_at, id), in the order of their steps and then the
    oldest first, and behind them those below, level by level. ``whose`` is that of ``below``. With ``failed`` only
    those children that failed. A row has, beside the fields of a list, its ``step``, the ``approval`` that it waits
    for, when it asked for each approval and when that was decided in ``waits``, how its ``children`` get on, the
    ``steps`` that an orchestration was asked for, and what is ``ahead`` of it."""
    values = visible(whose) | {"parent": parent_id, "limit": limit, "failed": failed}
    if after:
        values |= dict(zip(("step", "at", "id"), after, strict=True))
    cur.execute(_NEXT_PAGE if after else _FIRST_PAGE, values)
    rows = [
        row_of(attempt, row)
        | {"step": step, "approval": approval, "waits": waits}
        | {"children": children, "steps": steps, "ahead": ahead}
        for step, approval, waits, children, steps, ahead, attempt, *row in cur
    ]
    direct = [row for row in rows if row["parent_id"] == parent_id]
    if len(direct) < limit:
        return TreePage(rows, None)
    last = direct[-1]
    place = str(last["step"] or 0), last["created_at"], last["task_id"]
    cur.execute(_MORE, values | dict(zip(("step", "at", "id"), place, strict=True)))
    return TreePage(rows, place if cur.fetchall()[0][0] else None)


def ahead_of(cur: Cursor, task_id: str) -> list[dict[str, Any]] | None:
    """Returns what comes after a task, as its reporter knows it before any of it is sent."""
    cur.execute("SELECT ahead FROM tasks WHERE id = %s", (task_id,))
    found: list[tuple[list[dict[str, Any]] | None]] = cur.fetchall()
    return found[0][0] if found else None
