"""Deletes expired rows: tickets, sign-ins, idempotency keys, event ids, deliveries, writers that ended long ago."""

from __future__ import annotations

from app.stream.store import Connect

BATCH_ROWS = 5_000

# A writer needs its row again after an outage; a week is longer than any outage that a writer survives.
_EXPIRED = {
    "tickets": "expires_at < now()",
    "sessions": "expires_at < now()",
    "idempotency_keys": "created_at < now() - interval '24 hours'",
    "event_ids": "created_at < now() - interval '7 days'",
    "deliveries": "created_at < now() - interval '7 days'",  # longer than a delivery is retried
    "writers": "seen_at < now() - interval '7 days'",
}


def delete_expired(connect: Connect) -> int:
    """Deletes expired rows in short transactions and returns how many; locked rows stay for the next call."""
    deleted = 0
    for table, condition in _EXPIRED.items():
        full = True
        while full:
            with connect() as conn, conn.cursor() as cur:
                cur.execute(
                    f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                            SELECT ctid FROM {table} WHERE {condition} LIMIT %s FOR UPDATE SKIP LOCKED))""",
                    (BATCH_ROWS,),
                )
                full = cur.rowcount == BATCH_ROWS
                deleted += cur.rowcount
    return deleted
