"""What belongs to listed workers, queues and schedules: tasks that run, were lost or sent, who holds them, and who
takes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.tasks.holds import Hold, Kind, holds_of
from app.tasks.observed.consumers import Consumers, consumers_of
from app.tasks.observed.waiting import Waiting, waiting_in

MOST_TASKS = 20  # of a worker, that are described; the ids of all are given
MOST_LOST = 10  # of a worker, the newest
MESSAGE = 300  # characters of the error of a scheduled task

Row = dict[str, Any]

# Empty parameters: the caller may read all tasks.
_READABLE = "(%(user_id)s::uuid IS NULL OR tasks.user_id = %(user_id)s OR tasks.tenant = %(tenant)s)"
_STARTED = TIME_TEXT.format("coalesce(attempt_started_at, started_at)")
_RUNNING = f"""SELECT {_READABLE}, id::text, title, job_type, {_STARTED} FROM tasks
    WHERE id = ANY(%(tasks)s::uuid[]) AND finished_at IS NULL"""
_LOST = f"""SELECT worker.id::text, lost.* FROM unnest(%(workers)s::uuid[]) AS worker (id), LATERAL (
        SELECT task_id::text, title, job_type, status, {TIME_TEXT.format("lost_at")} AS lost_at
        FROM lost_attempts JOIN tasks ON tasks.id = task_id
        WHERE worker_id = worker.id AND {_READABLE} ORDER BY lost_attempts.lost_at DESC LIMIT %(most)s) AS lost"""
_SENT = f"""SELECT id::text, status, left(error ->> 'message', {MESSAGE}) FROM tasks
    WHERE id = ANY(%(tasks)s::uuid[]) AND {_READABLE}"""


def add_to_workers(cur: Cursor, rows: Sequence[Row], whose: Mapping[str, str]) -> None:
    """Adds the number of running tasks, a description of those that the caller may read, what was lost, and the hold of
    a drained worker. A worker that is gone was running them; what has ended or is lost since is left out. ``whose`` is
    as of ``list_workers``."""
    reader = {"user_id": whose.get("user_id"), "tenant": whose.get("tenant")}
    cur.execute(_RUNNING, reader | {"tasks": list({task_id for row in rows for task_id in row["running"]})})
    going_on, found = set[str](), dict[str, Row]()
    for readable, *values in cur:
        going_on.add(values[0])
        if readable:
            found[values[0]] = dict(zip(("task_id", "title", "job_type", "started_at"), values, strict=True))
    cur.execute(_LOST, reader | {"workers": [row["id"] for row in rows], "most": MOST_LOST})
    lost: dict[str, list[Row]] = {}
    for worker, *values in cur:
        fields = ("task_id", "title", "job_type", "status", "lost_at")
        lost.setdefault(worker, []).append(dict(zip(fields, values, strict=True)))
    holds = _holds(cur, "worker", rows)
    for row in rows:
        of_worker = lost.get(row["id"], [])
        ended = set() if row["alive"] else {task["task_id"] for task in of_worker}
        still = [task_id for task_id in row["running"] if task_id in going_on - ended]
        running = [task_id for task_id in still if task_id in found]
        row |= {"busy": len(still), "running": running, "lost": of_worker}
        row["tasks"] = [found[task_id] for task_id in running[:MOST_TASKS]]
        row["drained"] = holds.get(row["name"]) if row["own"] else None


def add_to_queues(cur: Cursor, rows: Sequence[Row]) -> None:
    """Adds the workers that take from each queue, what is known to wait in it, and the hold of a paused one."""
    consumers = consumers_of(cur, [row["id"] for row in rows])
    holds = _holds(cur, "queue", rows)
    known = waiting_in(cur, [row["id"] for row in rows if not row["own"]])
    for row in rows:
        _add_waiting(row, known.get(row["id"], Waiting()))
        found = consumers.get(row["id"], Consumers())
        row |= {"consumers": found.number, "slots": found.slots, "busy": found.busy, "workers": found.names}
        row["no_worker_since"] = found.since
        row["paused"] = holds.get(row["name"]) if row["own"] else None


def _add_waiting(row: Row, known: Waiting) -> None:
    """Adds what waits to what the broker said, which is old where nobody reports the queue."""
    row["known_waiting"] = known.number
    if not row["alive"] and known.number:
        row |= {"depth": known.number, "oldest_wait_seconds": known.oldest_seconds}
    elif known.number:
        oldest = max(known.oldest_seconds or 0, row["oldest_wait_seconds"] or 0)
        row |= {"depth": max(row["depth"], known.number), "oldest_wait_seconds": oldest}


def add_to_schedules(cur: Cursor, rows: Sequence[Row], whose: Mapping[str, str]) -> None:
    """Adds how the last run of each entry got on: the status of its task, where the caller may read it; of an entry of
    ours, whether its run has ended, and why it failed. ``whose`` is as of ``list_workers``."""
    sent = [row["last_task_id"] for row in rows if row["last_task_id"]]
    reader = {"user_id": whose.get("user_id"), "tenant": whose.get("tenant")}
    cur.execute(_SENT, reader | {"tasks": sent})
    found = {task_id: (status, message) for task_id, status, message in cur}
    for row in rows:
        ended_at, end_error, begun = row.pop("ended_at"), row.pop("end_error"), row["last_run_at"]
        status, message = found.get(row["last_task_id"], (None, None))
        if row["own"] and ended_at and (begun is None or ended_at >= begun):
            status, message = ("FAILURE", end_error) if end_error else ("SUCCESS", None)
        row["last_task_id"] = row["last_task_id"] if row["last_task_id"] in found else None
        row |= {"last_status": status, "last_error": row["last_error"] or message}


def _holds(cur: Cursor, kind: Kind, rows: Sequence[Row]) -> dict[str, Hold]:
    return holds_of(cur, kind, [row["name"] for row in rows if row["own"]])
