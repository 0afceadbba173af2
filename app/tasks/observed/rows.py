"""The rows that a batch changes before its events are appended: tasks, attempts, groups."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from app.tasks.observed import ahead, resends
from app.tasks.observed.groups import open_groups
from app.tasks.observed.taking import Taken, Taking


def insert(cur: Cursor, taking: Taking, taken: Sequence[Taken], writer: str) -> None:
    """Inserts the new tasks, groups and attempts, and moves the streams of the tasks to these attempts."""
    book = taking.book
    book.insert({task.task_id: part.task_id for part, task, _ in taken})
    _change_tasks(cur, taking, taken)
    ahead.store(cur, taking.ahead)
    resends.forbid(cur, taking.not_again)
    open_groups(cur, [node.task_id for node in taking.nodes if not node.heard])
    if not taking.begun:
        return
    attempts = {attempt.task_id: attempt.attempt for _, attempt in taking.begun}
    begun = [(task.stream_id, attempts[task.task_id]) for task in book.tasks if task.task_id in attempts]
    cur.execute(
        """UPDATE streams SET attempt = begun.attempt, attempt_given_up = false
           FROM unnest(%s::bigint[], %s::int[]) AS begun (id, attempt) WHERE streams.id = begun.id""",
        ([stream_id for stream_id, _ in begun], [attempt for _, attempt in begun]),
    )
    execute_values(
        cur,
        """INSERT INTO reported_attempts (reported_id, name, number, task_id, attempt, began_seq, reporter, writer)
           VALUES %s ON CONFLICT (reported_id, name) DO UPDATE SET number = excluded.number, task_id = excluded.task_id,
               attempt = excluded.attempt, began_seq = excluded.began_seq, reporter = excluded.reporter,
               writer = excluded.writer""",
        [(first_id, *attempt, book.reporter.key, writer) for first_id, attempt in taking.begun],
        page_size=len(taking.begun),
    )


def _change_tasks(cur: Cursor, taking: Taking, taken: Sequence[Taken]) -> None:
    """Stores what the parts say of known tasks that no event carries: their id as the reporter has it, their lease."""
    changed = {
        task.task_id: (part.task_id, task.lease_seconds)
        for part, task, _ in taken
        if not task.is_new and (part.lease_seconds is not None or not task.was_heard)
    }
    if not changed:
        return
    if heard := [task.task_id for _, task, _ in taken if not task.is_new and not task.was_heard]:
        cur.execute("DELETE FROM open_groups WHERE task_id = ANY(%s::uuid[])", (heard,))
    cur.execute(
        """UPDATE tasks SET reporter = coalesce(tasks.reporter, %s::uuid),
               reported_id = coalesce(tasks.reported_id, said.reported_id), lease_seconds = said.lease_seconds
           FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS said (id, reported_id, lease_seconds)
           WHERE tasks.id = said.id""",
        (
            taking.book.reporter.key,
            list(changed),
            [reported_id for reported_id, _ in changed.values()],
            [seconds for _, seconds in changed.values()],
        ),
    )
