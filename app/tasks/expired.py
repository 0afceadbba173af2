"""Rows that have served: tickets, sign-ins, idempotency keys, writers that ended long ago."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

# A writer comes back to its row after an outage; a week is longer than any that it survives.
_EXPIRED = (
    "DELETE FROM tickets WHERE expires_at < now()",
    "DELETE FROM sessions WHERE expires_at < now()",
    "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'",
    "DELETE FROM writers WHERE seen_at < now() - interval '7 days'",
)


def delete_expired(cur: Cursor) -> int:
    """Returns how many rows went."""
    deleted = 0
    for statement in _EXPIRED:
        cur.execute(statement)
        deleted += cur.rowcount
    return deleted
