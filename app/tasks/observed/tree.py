"""The tree of observed tasks: who is above whom, and all that is below a task.

Parents come from reporters, in any order: a child may be older than its parent. So no stream knows its ancestors, and
statements that follow parents visit no task twice.
"""

from __future__ import annotations

from collections.abc import Collection

from psycopg2.extensions import cursor as Cursor

from app.tasks.observed.task import ObservedTask

HIGHEST = 1_000  # tasks above one another that are looked at

_PARENTS = """WITH RECURSIVE above (id, parent_id, height) AS (
        SELECT id, parent_id, 1 FROM tasks WHERE id = %s
        UNION SELECT tasks.id, tasks.parent_id, height + 1 FROM above JOIN tasks ON tasks.id = above.parent_id
        WHERE height < %s)
    SELECT id::text, parent_id::text FROM above"""
# Tasks that have ended are followed too: what they have started may run.
BELOW = """WITH RECURSIVE below (id) AS (
        SELECT id FROM tasks WHERE id = %(root)s
        UNION SELECT tasks.id FROM below JOIN tasks ON tasks.parent_id = below.id)
    SELECT name FROM below JOIN tasks USING (id) JOIN streams ON streams.id = tasks.stream_id
    WHERE tasks.observed AND NOT closed AND NOT cancel_requested"""


def is_above(cur: Cursor, task_id: str, parent_id: str, in_batch: Collection[ObservedTask]) -> bool:
    """Returns whether the task is the parent or above it, also by what the batch has said so far."""
    parents = {task.task_id: task.fields["parent_id"] for task in in_batch}
    above: str | None = parent_id
    for _ in range(HIGHEST):
        if above is None or above == task_id:
            break
        if above not in parents:
            cur.execute(_PARENTS, (above, HIGHEST))
            parents = dict(cur.fetchall()) | parents
        above = parents.get(above)
    return above == task_id
