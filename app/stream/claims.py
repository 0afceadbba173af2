"""Claims of event ids and batch numbers, each given once, so that a repeated event or batch is stored once."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from app.errors import TaskroomError
from app.stream.event import clean

LONGEST_ID = 255


class UnknownWriter(TaskroomError):
    """The writer's row is gone or has another batch number, so the writer's count is void."""


def claim_event_id(cur: Cursor, stream: str, event_id: str) -> bool:
    """Returns True the first time that the stream gets an event of this id, else False; ids are kept for a week.

    Called in the transaction that appends the event: of two at once the second waits for the commit of the first.
    Raises ValueError for an id that is empty, too long or holds characters that Postgres cannot store.
    """
    if not (0 < len(event_id) <= LONGEST_ID and clean(event_id) == event_id):
        raise ValueError(f"event_id: not a text of 1 to {LONGEST_ID} characters")
    cur.execute(
        "INSERT INTO event_ids (stream, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING", (stream, event_id)
    )
    return cur.rowcount == 1


def claim_batch(cur: Cursor, writer_id: str, batch: int) -> bool:
    """Returns True when the caller has to store this batch now, False when an earlier try has stored it.

    The update comes before the read: an unclear COMMIT may still be running, and the row lock waits for it.
    Raises UnknownWriter when the batch is neither the next one nor the last one.
    """
    cur.execute(
        "UPDATE writers SET last_batch = %s, seen_at = now() WHERE id = %s AND last_batch = %s",
        (batch, writer_id, batch - 1),
    )
    if cur.rowcount == 1:
        return True
    cur.execute("SELECT last_batch FROM writers WHERE id = %s", (writer_id,))
    row = cur.fetchone()
    if row is None or row[0] != batch:
        raise UnknownWriter(f"writer {writer_id} is at batch {row and row[0]}, not {batch} or {batch - 1}")
    return False


def register_writer(cur: Cursor, writer_id: str) -> None:
    cur.execute("INSERT INTO writers (id) VALUES (%s) ON CONFLICT DO NOTHING", (writer_id,))
