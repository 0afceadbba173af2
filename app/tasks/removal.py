"""Removes tasks that ended long ago with all their data: rows, results, phases, events, approvals.

A family is removed as a whole: a parent with its steps, when all have ended. A task that was retried stays as long as
its retry, which refers to it. An observed task is removed alone, for a chain of them may never end: those that refer to
it lose the reference. A removed task is answered like one that never existed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text
from app.models.tasks import Task
from app.stream.store import Connect, lock
from app.tasks import old_tasks
from app.tasks.retention import CUTOFF, Prunable, Retention, prune_batch

logger = logging.getLogger("taskroom.removal")

EVENTS_AT_ONCE = 2_000  # of a family, deleted with its rows in one transaction; others before, in batches

_ENDED = Statement(
    sa.select(*as_text(Task.finished_at, Task.id))
    .where(Task.finished_at.is_not(None), Task.parent_id.is_(None), Task.finished_at < CUTOFF)
    .where(Task.finished_at >= sa.bindparam("since"))
    .where(sa.tuple_(Task.finished_at, Task.id) > sa.bindparam("after"))
    .order_by(Task.finished_at, Task.id)
    .limit(sa.bindparam("page"))
)
# Literal, for it is recursive.
_FAMILY = """WITH RECURSIVE family (id) AS (
        SELECT %(root)s::uuid
        UNION ALL
        SELECT tasks.id FROM tasks JOIN family ON tasks.parent_id = family.id AND tasks.step IS NOT NULL)
    SELECT tasks.id::text, name, streams.id, last_seq, pruned_to,
        closed AND finished_at < now() - make_interval(days => %(days)s)
            AND (observed OR NOT EXISTS (SELECT FROM tasks AS retry WHERE retry.retry_of = tasks.id))
    FROM tasks JOIN family ON family.id = tasks.id JOIN streams ON streams.id = stream_id"""


class Member(NamedTuple):
    """A task of a family. ``may_go``: it ended long ago, and no retry refers to it."""

    task_id: str
    stream: str
    stream_id: int
    last_seq: int
    pruned_to: int
    may_go: bool


def remove_tasks(connect: Connect, days: int, seconds: float = old_tasks.RUN_SECONDS) -> int:
    """Removes tasks that ended ``days`` ago, for up to ``seconds``; returns how many. The oldest go first, each family
    in one transaction; locked families stay for the next run. Two runs at a time do no harm, nor does a kill. Raises
    DatabaseUnavailable."""
    remove = partial(_remove_family, connect, days)
    return old_tasks.each(connect, _ENDED, days, seconds, remove, logger)


def _remove_family(connect: Connect, days: int, root: str) -> int:
    with connect() as conn, conn.cursor() as cur:
        members = _members(cur, root, days)
    if not all(member.may_go for member in members):
        return 0
    for member in members:
        if member.last_seq - member.pruned_to > EVENTS_AT_ONCE // len(members):
            _prune_member(connect, member)
    with connect() as conn, conn.cursor() as cur:
        return _delete(cur, root, days)


def _prune_member(connect: Connect, member: Member) -> None:
    """Deletes all events but the last, in batches; stops when another transaction has locked the stream."""
    stream = Prunable(member.stream_id, member.last_seq, member.pruned_to, has_task=True, aged=True)
    while prune_batch(connect, stream, Retention(days=0, events=0)):
        pass


def _delete(cur: Cursor, root: str, days: int) -> int:
    """Deletes the family under the locks of all its streams, which appends and retries take too; returns its size."""
    names = [member.stream for member in _members(cur, root, days)]
    if not names or len(lock(cur, names, wait=False)) < len(names):
        return 0
    members = _members(cur, root, days)  # read again, now that the locks keep them unchanged
    few = sum(member.last_seq - member.pruned_to for member in members) <= EVENTS_AT_ONCE + len(members)
    if len(members) != len(names) or not few or not all(member.may_go for member in members):
        return 0
    ids: Sequence[Any] = [member.stream_id for member in members]
    # Literal: under the locks all rows are deleted in one round trip.
    cur.execute(
        """SET LOCAL synchronous_commit = off;
           UPDATE tasks SET parent_id = NULL
           WHERE parent_id = ANY(%(tasks)s::uuid[]) AND id <> ALL(%(tasks)s::uuid[]);
           UPDATE tasks SET retry_of = NULL WHERE observed AND retry_of = ANY(%(tasks)s::uuid[]);
           DELETE FROM events WHERE stream_id = ANY(%(streams)s);
           DELETE FROM tasks WHERE id = ANY(%(tasks)s::uuid[]);
           DELETE FROM streams WHERE id = ANY(%(streams)s)""",
        {"streams": ids, "tasks": [member.task_id for member in members]},
    )
    return len(members)


def _members(cur: Cursor, root: str, days: int) -> list[Member]:
    cur.execute(_FAMILY, {"root": root, "days": days})
    return [Member(*row) for row in cur]
