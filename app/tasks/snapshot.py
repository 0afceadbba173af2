"""What a task is now, each read consistent: its snapshot, its status, the events that show it, and its throughput."""

from __future__ import annotations

from typing import Any

from app.stream.event import Event, encode, task_stream
from app.stream.pages import bounded
from app.stream.store import Connect, NoSuchStream
from app.tasks.log_conditions import IS_LINE
from app.tasks.logs import SCAN_ROWS, log_line
from app.tasks.projection import STATE_COLUMNS, state_of

RECENT_LOGS = 50
POINTS = 120  # of the throughput: as many as a chart can show


def snapshot(read: Connect, task_id: str) -> dict[str, Any] | None:
    """Returns ``{task, phases, sections, recent_logs, celery, approval, sequence}``, or None for an unknown task.

    One statement sees one state of the database. A transaction held open for that would slow every row update.
    """
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            f"""SELECT (SELECT array_agg(payload) FROM (
                    SELECT payload FROM events WHERE stream_id = streams.id AND {IS_LINE}
                        AND seq > last_seq - %s ORDER BY seq DESC LIMIT %s) AS newest),
                (SELECT json_build_object('key', key, 'title', title, 'risk_level', risk_level,
                        'estimated_cost', estimated_cost) FROM approvals
                    WHERE task_id = tasks.id AND decided_at IS NULL AND tasks.status = 'WAITING'
                    ORDER BY asked_at DESC LIMIT 1),
                {STATE_COLUMNS}
                FROM tasks JOIN streams ON streams.id = tasks.stream_id WHERE streams.name = %s""",
            (SCAN_ROWS, RECENT_LOGS, task_stream(task_id)),
        )
        row = cur.fetchone()
    if row is None:
        return None
    logs, state = row[0] or [], state_of(*row[2:])
    task = state["task"]
    return {
        "task": task,
        "phases": state["phases"],
        "sections": state["sections"],
        "recent_logs": [log_line(payload) for payload in reversed(bounded(logs, len))],
        "celery": {
            "id": message_id(task_id, task["attempt"]) if task["attempt"] and not task["observed"] else None,
            "state": task["status"],
            "worker": task["worker"],
            "attempt": task["attempt"],
            "retries": task["retry_count"],
        },
        "approval": row[1],
        "sequence": state["sequence"],
    }


def current_status(read: Connect, stream: str) -> Event:
    """Returns the task's current state as a ``task_status`` event with the last sequence. Raises NoSuchStream."""
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT last_seq, status, progress, current_phase_message
               FROM streams JOIN tasks ON tasks.stream_id = streams.id WHERE name = %s""",
            (stream,),
        )
        row = cur.fetchone()
    if row is None:
        raise NoSuchStream(stream)
    fields = dict(zip(("status", "progress", "current_phase_message"), row[1:], strict=True))
    return Event(stream, int(row[0]), "task_status", "{" + encode(fields))


def message_id(task_id: str, number: int) -> str:
    """Returns the id of the Celery message that carries one dispatch of a task."""
    return f"{task_id}.{number}"


def current_events(read: Connect, stream: str) -> tuple[list[Event], int]:
    """Returns the stored events that show the current state to a new viewer, and the sequence at which they hold: the
    last ``task_status`` and the last ``phase_update`` of each phase. Raises NoSuchStream."""
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT last_seq, shown.* FROM streams LEFT JOIN LATERAL (
                   SELECT seq, type, payload, level, phase FROM events
                   WHERE stream_id = streams.id AND seq = ANY(ARRAY(
                       SELECT status_sequence FROM tasks WHERE tasks.stream_id = streams.id UNION ALL
                       SELECT sequence FROM phases JOIN tasks ON tasks.id = phases.task_id
                       WHERE tasks.stream_id = streams.id))
               ) AS shown ON true
               WHERE name = %s ORDER BY seq""",
            (stream,),
        )
        rows = cur.fetchall()
    if not rows:
        raise NoSuchStream(stream)
    return [Event(stream, *row[1:]) for row in rows if row[1] is not None], int(rows[0][0])


def throughput(read: Connect, task_id: str) -> list[tuple[int, str]]:
    """Returns (sequence, timestamp) of evenly spaced events, among them the first and the last stored event. Sequences
    have no gaps, so two points give the number of events between them, and each is one index lookup in a task of any
    length."""
    with read() as conn, conn.cursor() as cur:
        # Literal: LATERAL and generate_series read better as SQL.
        cur.execute(
            """SELECT seq, payload::json ->> 'timestamp' FROM streams JOIN LATERAL (
                   SELECT seq, payload FROM events
                   WHERE stream_id = streams.id AND seq = ANY(ARRAY(
                       SELECT pruned_to + 1 + (last_seq - pruned_to - 1) * n / %s
                       FROM generate_series(0, %s) AS n WHERE last_seq > pruned_to))
               ) AS sampled ON true
               WHERE name = %s ORDER BY seq""",
            (POINTS - 1, POINTS - 1, task_stream(task_id)),
        )
        return [(int(sequence), str(timestamp)) for sequence, timestamp in cur.fetchall()]
