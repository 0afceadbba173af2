"""A snapshot: task, phases, recent logs and the sequence they stand at, from one consistent view."""

from __future__ import annotations

from typing import Any

from app.stream.event import Event, task_stream
from app.stream.store import Connect
from app.tasks.logs import newest_logs
from app.tasks.projection import load

RECENT_LOGS = 50


def snapshot(connect: Connect, task_id: str) -> dict[str, Any] | None:
    """``{task, phases, recent_logs, celery, sequence}``, or None when there is no such task.

    The transaction is milliseconds long: one held open would make every row update slower.
    """
    stream = task_stream(task_id)
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        state = load(cur, [stream]).get(stream)
        if state is None:
            return None
        logs = newest_logs(cur, task_id, RECENT_LOGS)
    task = state["task"]
    return {
        "task": task,
        "phases": state["phases"],
        "recent_logs": logs,
        "celery": {
            "id": message_id(task_id, task["attempt"]) if task["attempt"] else None,
            "state": task["status"],
            "worker": task["worker"],
            "attempt": task["attempt"],
            "retries": task["retry_count"],
        },
        "sequence": state["sequence"],
    }


def message_id(task_id: str, number: int) -> str:
    """The id of the Celery message that carries one dispatch of a task."""
    return f"{task_id}.{number}"


def current_events(connect: Connect, stream: str) -> tuple[list[Event], int]:
    """What shows the present state to a viewer that has none: the current ``task_status`` and each phase's
    last ``phase_update``, as they were, and the sequence up to which they speak. LookupError without a stream."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cur.execute("SELECT id, last_seq FROM streams WHERE name = %s", (stream,))
        row = cur.fetchone()
        if row is None:
            raise LookupError(stream)
        cur.execute(
            """SELECT seq, type, payload, level, phase FROM events WHERE stream_id = %s AND seq IN (
                   SELECT status_sequence FROM tasks WHERE stream_id = %s UNION ALL
                   SELECT sequence FROM phases JOIN tasks ON tasks.id = phases.task_id WHERE stream_id = %s)
               ORDER BY seq""",
            (row[0], row[0], row[0]),
        )
        return [Event(stream, *event) for event in cur.fetchall()], int(row[1])
