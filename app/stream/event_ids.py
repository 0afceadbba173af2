"""Ids that publishers give to events, so that an event that is published twice is stored once."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from app.stream.event import clean

LONGEST_ID = 255


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
