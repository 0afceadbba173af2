"""The rate of a task's events over its whole run, read in constant time."""

from __future__ import annotations

from app.stream.event import task_stream
from app.stream.store import Connect

POINTS = 120  # as many as a chart can show


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
